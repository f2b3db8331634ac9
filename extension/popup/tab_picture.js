// The popup's part about sites that keep their video's pixels: the way round is offered, the tab's
// picture or in Firefox the permission for all sites, and said plainly while it is used.

import { byId } from "../shared/dom.js";
import { CONTENT_SCRIPT } from "../shared/paths.js";
import { permissionForAll, isFirefox } from "../shared/sites.js";
import { isSeen } from "../shared/tab_picture.js";
import { say } from "../shared/words.js";

/** @typedef {import("../shared/states.js").Summary} Summary */
/** @typedef {import("../shared/tab_picture.js").TabPicture} TabPicture */

/** @typedef {{summaries: Summary[], picture: TabPicture, unreached: {why: string}[]}} Report */

/**
 * @param {Report} report
 * @param {boolean} permitted whether the extension has all sites already
 * @returns {{words: string, button: string}|null} null where there is nothing to say
 */
export function pictureWords({ summaries, picture, unreached }, permitted) {
  const unreadable = summaries.some(({ state }) => state === "unreadable");
  if (unreadable && isFirefox() && !permitted) {
    return { words: say("all_sites_offer"), button: say("all_sites_allow") };
  }
  if (picture === "stream") return { words: say("tab_picture_stream"), button: say("tab_picture_stop") };
  if (picture === "shots") return { words: say("tab_picture_shots"), button: say("tab_picture_stop") };
  const kept = summaries.some(({ state }) => state === "offered");
  const other = summaries.some(({ state }) => state === "offered_closed" || state === "tab_lost");
  // Beside a video that is watched, a closed frame is an advert more often than not.
  const closed = summaries.length === 0 && unreached.some(({ why }) => why === "closed" || why === "elsewhere");
  if (!(kept || other || closed) || picture === "none") return null;
  // Why another frame is closed is said above, with the player.
  const offer = kept ? say("tab_picture_offer") : say("tab_picture_instead");
  return { words: picture === "off" ? offer : say("tab_picture_lost"), button: say("tab_picture_start") };
}

/** @param {Report} report */
export async function showTabPicture(report) {
  const permitted = await chrome.permissions.contains({ origins: permissionForAll() });
  const found = pictureWords(report, permitted);
  byId("tab-picture", HTMLElement).hidden = found === null;
  if (!found) return;
  byId("tab-picture-words", HTMLElement).textContent = found.words;
  const button = byId("tab-picture-button", HTMLButtonElement);
  button.textContent = found.button;
  button.setAttribute("aria-pressed", String(isSeen(report.picture)));
}

/** @param {() => number} tabId @param {() => Promise<void>} refresh */
export function listenToTabPicture(tabId, refresh) {
  const button = byId("tab-picture-button", HTMLButtonElement);
  button.addEventListener("click", async () => {
    if (isFirefox()) {
      if (await chrome.permissions.request({ origins: permissionForAll() })) await watchAnew(tabId());
      await refresh();
      return;
    }
    const on = button.getAttribute("aria-pressed") !== "true";
    // The click on the toolbar's icon let the extension look at this tab; the service worker asks.
    const answer = await chrome.runtime.sendMessage({
      type: "tab-picture",
      tabId: tabId(),
      on,
      scale: devicePixelRatio,
    });
    byId("tab-picture-note", HTMLElement).textContent = answer?.error ? say("tab_picture_failed") : "";
    await refresh();
  });
}

/** What could not be read before is tried again. @param {number} tabId */
async function watchAnew(tabId) {
  await chrome.tabs.sendMessage(tabId, { type: "off" }).catch(() => {});
  // From the root: Firefox looks for files beside the page that asks.
  const target = { tabId, allFrames: true };
  await chrome.scripting.executeScript({ target, files: [`/${CONTENT_SCRIPT}`] });
}
