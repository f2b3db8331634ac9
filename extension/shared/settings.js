// What the person has set, kept in the extension's own storage area.

/** @typedef {"calm"|"normal"|"alert"} Sensitivity */
/** @typedef {"auto"|"websocket"|"webrtc"} TransportSetting */
/** @typedef {{on: boolean, from: string, to: string}} QuietHours times as 22:00; the end may be on the next day */
/**
 * @typedef {object} Settings
 * @property {string} server address such as `http://127.0.0.1:8765`
 * @property {string} token empty until the browser is paired
 * @property {Sensitivity} sensitivity
 * @property {TransportSetting} transport how pictures travel to the server
 * @property {boolean} cutOuts send the faces of large videos at the video's own resolution
 * @property {boolean} ownPicture judge the person's own picture in calls as well
 * @property {boolean} notify tell of a likely fake face by a notification
 * @property {boolean} sound tell of it by a sound
 * @property {QuietHours} quiet hours without either
 * @property {boolean} traces keep a list of what was flagged
 * @property {boolean} offers offer to check a video that a page's file picker receives
 * @property {string[]} noOffers sites where that is not offered
 * @property {Record<string, Sensitivity>} siteSensitivity of sites that have their own
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
  sound: false,
  quiet: Object.freeze({ on: false, from: "22:00", to: "07:00" }),
  traces: false,
  offers: true,
  noOffers: [],
  siteSensitivity: Object.freeze({}),
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
