// Turning watching on and off: by a click in the popup, or by the keyboard.

import { inject, syncScripts } from "./scripts.js";
import { endPicture } from "./tab_capture.js";
import { record, update } from "./tabs.js";
import { tell, tellAll } from "./tell.js";
import { load, save } from "../shared/settings.js";
import { isOn, needsPermission, patternOf, siteOf, withSite } from "../shared/sites.js";

/** The icon says for so long what a key has done. */
const SAY_MS = 1500;

/**
 * Whether the click on the icon holds: while the browser lets the extension see where the tab is, and
 * on that site alone. A click on the next site, to see the popup, is none to watch it.
 * @param {import("./tabs.js").TabRecord} tab
 * @param {string|null} site
 */
export function isOnce({ once }, site) {
  return once !== null && once === site;
}

/** @param {number} tabId @returns {Promise<string|null>} null where the browser does not tell */
export async function siteOfTab(tabId) {
  return siteOf((await chrome.tabs.get(tabId)).url);
}

/** @param {number} tabId @param {string|undefined} url */
export async function isWatched(tabId, url) {
  const site = siteOf(url);
  return isOnce(await record(tabId), site) || isOn(await load(), site);
}

/**
 * This tab alone, while it stays on its site.
 * @param {number} tabId
 * @param {boolean} on
 * @returns {Promise<boolean>} false where the browser does not let the extension into the page
 */
export async function watchTab(tabId, on) {
  const once = on ? await siteOfTab(tabId) : null;
  await update(tabId, (known) => ({ ...known, once, frames: on ? known.frames : {} }));
  if (!on) {
    // First, as it may have to wait for a picture that is being opened.
    await tell(tabId, { type: "off" });
    await endPicture(tabId, "off");
    return true;
  }
  const injected = await inject(tabId);
  if (!injected) await update(tabId, () => null);
  return injected;
}

/** @param {string} site for good @param {number} tabId which shows it */
export async function turnSiteOff(site, tabId) {
  await save(withSite(await load(), site, false));
  await syncScripts();
  await update(tabId, (known) => ({ ...known, once: null, frames: {} }));
  await tell(tabId, { type: "off" });
  await tellAll({ type: "check" }); // other tabs of the site
  await endPicture(tabId, "off");
}

/**
 * What the popup's button does, by a key.
 * @param {chrome.tabs.Tab} tab
 */
export async function toggleWatching({ id, url }) {
  const site = siteOf(url);
  if (id === undefined || site === null) return;
  const on = !(await isWatched(id, url));
  if (!on && isOn(await load(), site)) {
    await turnSiteOff(site, id);
    if (!needsPermission(await load(), site)) {
      await chrome.permissions.remove({ origins: [patternOf(site)] }).catch(() => false);
    }
  } else if (!(await watchTab(id, on)) && on) return;
  await chrome.action.setBadgeText({ tabId: id, text: chrome.i18n.getMessage(on ? "badge_on" : "badge_off") });
  setTimeout(() => void update(id, (known) => known), SAY_MS); // back to what it says otherwise
}
