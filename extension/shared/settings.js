// What the person has set, kept in the extension's own storage area.

/** @typedef {"calm"|"normal"|"alert"} Sensitivity */
/** @typedef {"auto"|"websocket"|"webrtc"} TransportSetting */
/**
 * @typedef {object} Settings
 * @property {string} server address such as `http://127.0.0.1:8765`
 * @property {string} token empty until the browser is paired
 * @property {Sensitivity} sensitivity
 * @property {TransportSetting} transport how pictures travel to the server
 * @property {boolean} cutOuts send the faces of large videos at the video's own resolution
 * @property {boolean} ownPicture judge the person's own picture in calls as well
 * @property {boolean} notify tell by a notification of a likely fake face in picture-in-picture
 * @property {boolean} allSites watch every site that is not in offSites
 * @property {string[]} onSites sites turned on one by one, as `https://example.org`
 * @property {string[]} offSites sites turned off while allSites is on
 * @property {string[]} playerSites sites whose embedded players may be watched in tabs that are
 */

/** @type {readonly Sensitivity[]} */
export const SENSITIVITIES = Object.freeze(["calm", "normal", "alert"]);
/** @type {readonly TransportSetting[]} */
export const TRANSPORTS = Object.freeze(["auto", "websocket", "webrtc"]);

/** @type {Readonly<Settings>} */
export const DEFAULTS = Object.freeze({
  server: "http://127.0.0.1:8765",
  token: "",
  sensitivity: "normal",
  transport: "auto",
  cutOuts: true,
  ownPicture: false,
  notify: false,
  allSites: false,
  onSites: [],
  offSites: [],
  playerSites: [],
});

/** @returns {Promise<Settings>} */
export async function load() {
  const stored = await chrome.storage.local.get(Object.keys(DEFAULTS));
  return { ...DEFAULTS, .../** @type {Partial<Settings>} */ (stored) };
}

/** @param {Partial<Settings>} changes */
export async function save(changes) {
  await chrome.storage.local.set(changes);
}

/**
 * Keep the token away from content scripts, which share a process with the page. Browsers without
 * the call let content scripts read the area; the scripts here never do.
 */
export async function protectStorage() {
  await chrome.storage.local.setAccessLevel?.({ accessLevel: "TRUSTED_CONTEXTS" });
}
