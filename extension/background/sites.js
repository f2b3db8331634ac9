// On which sites Fakelight works: the sites turned on one by one, or all but some. The browser's
// permission is asked for each; the content script is registered for exactly those.

import { load, save } from "./settings.js";

export const ALL_SITES = Object.freeze(["http://*/*", "https://*/*"]);
const SCRIPT_ID = "sites";
const ENTRY = "capture/entry.js";

/**
 * Scheme and host. Without the port, which match patterns do not know in every browser.
 * @param {string|undefined} url
 * @returns {string|null} null for pages that are not of the web
 */
export function siteOf(url) {
  if (!url || !/^https?:/.test(url)) return null;
  const { protocol, hostname } = new URL(url);
  return `${protocol}//${hostname}`;
}

/** @param {string} site */
export function patternOf(site) {
  return `${site}/*`;
}

/**
 * @param {import("./settings.js").Settings} settings
 * @param {string|null} site
 * @returns {boolean} turned on by a lasting choice
 */
export function isOn(settings, site) {
  if (site === null || settings.offSites.includes(site)) return false;
  return settings.allSites || settings.onSites.includes(site);
}

/** Make the registered content script agree with the settings and the permissions granted. */
export async function syncScripts() {
  const settings = await load();
  const registered = await chrome.scripting.getRegisteredContentScripts({ ids: [SCRIPT_ID] });
  const wanted = settings.allSites ? [...ALL_SITES] : settings.onSites.map(patternOf);
  const matches = [];
  for (const origin of wanted) {
    if (await chrome.permissions.contains({ origins: [origin] })) matches.push(origin);
  }
  if (registered.length > 0) await chrome.scripting.unregisterContentScripts({ ids: [SCRIPT_ID] });
  if (matches.length === 0) return;
  await chrome.scripting.registerContentScripts([
    {
      id: SCRIPT_ID,
      js: [ENTRY],
      matches,
      excludeMatches: settings.offSites.map(patternOf),
      allFrames: true,
      matchOriginAsFallback: true,
      runAt: "document_idle",
      persistAcrossSessions: true,
    },
  ]);
}

/**
 * Remember a lasting choice for one site. The permission is the caller's affair, for only a page
 * with a click can ask for it.
 * @param {string} site
 * @param {boolean} on
 */
export async function setSite(site, on) {
  const { onSites, offSites } = await load();
  const others = onSites.filter((other) => other !== site);
  const off = offSites.filter((other) => other !== site);
  await save({ onSites: on ? [...others, site] : others, offSites: on ? off : [...off, site] });
  await syncScripts();
}

/** @param {boolean} on */
export async function setAllSites(on) {
  await save({ allSites: on });
  await syncScripts();
}

/**
 * Start the content script in a tab that is open already.
 * @param {number} tabId
 * @returns {Promise<boolean>} false where the browser does not let extensions in
 */
export async function inject(tabId) {
  try {
    await chrome.scripting.executeScript({ target: { tabId, allFrames: true }, files: [ENTRY] });
    return true;
  } catch {
    return false;
  }
}
