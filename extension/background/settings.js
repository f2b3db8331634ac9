// What the person has set, kept in the extension's own storage area.

/** @typedef {"calm"|"normal"|"alert"} Sensitivity */
/** @typedef {import("../webrtc/choose.js").Transport} Transport */
/**
 * @typedef {object} Settings
 * @property {string} server address such as `http://127.0.0.1:8765`
 * @property {string} token empty until the browser is paired
 * @property {Sensitivity} sensitivity
 * @property {Transport} transport how pictures travel to the server
 * @property {boolean} allSites watch every site that is not in offSites
 * @property {string[]} onSites sites turned on one by one, as `https://example.org`
 * @property {string[]} offSites sites turned off while allSites is on
 */

/** @type {Readonly<Settings>} */
export const DEFAULTS = Object.freeze({
  server: "http://127.0.0.1:8765",
  token: "",
  sensitivity: "normal",
  transport: "auto",
  allSites: false,
  onSites: [],
  offSites: [],
});

/** Loopback names: the only servers that may be reached without encryption. */
const LOOPBACK = Object.freeze(["127.0.0.1", "localhost"]);

export class SettingsError extends Error {}

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
 * The address as it is stored: scheme, host and port, nothing after them.
 * @param {string} text
 * @returns {string}
 * @throws {SettingsError} its message is the key of a text in _locales
 */
export function normaliseServer(text) {
  let url;
  try {
    const trimmed = text.trim();
    url = new URL(/^[a-z]+:\/\//i.test(trimmed) ? trimmed : `http://${trimmed}`);
  } catch {
    throw new SettingsError("server_not_an_address");
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new SettingsError("server_not_an_address");
  }
  // Spaces in a name come out escaped rather than refused.
  if (url.username || url.password || url.hostname.includes("%")) {
    throw new SettingsError("server_not_an_address");
  }
  if (url.protocol === "http:" && !LOOPBACK.includes(url.hostname)) {
    throw new SettingsError("server_needs_https");
  }
  return url.origin;
}

/**
 * Keep the token away from content scripts, which share a process with the page. Browsers without
 * the call let content scripts read the area; the scripts here never do.
 */
export async function protectStorage() {
  await chrome.storage.local.setAccessLevel?.({ accessLevel: "TRUSTED_CONTEXTS" });
}
