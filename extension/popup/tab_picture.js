// The popup's part about the tab's picture: offered where a site keeps its video's pixels, and said
// plainly while it is looked at.

import { byId } from "../shared/dom.js";
import { isSeen } from "../shared/tab_picture.js";
import { say } from "../shared/words.js";

/** @typedef {import("../shared/states.js").Summary} Summary */
/** @typedef {import("../shared/tab_picture.js").TabPicture} TabPicture */

/** @typedef {{summaries: Summary[], picture: TabPicture, unreached: {why: string}[]}} Report */

/**
 * @param {Report} report
 * @returns {{words: string, button: string}|null} null where there is nothing to say
 */
export function pictureWords({ summaries, picture, unreached }) {
  if (picture === "stream") return { words: say("tab_picture_stream"), button: say("tab_picture_stop") };
  if (picture === "shots") return { words: say("tab_picture_shots"), button: say("tab_picture_stop") };
  const kept = summaries.some(({ state }) => state === "offered" || state === "tab_lost");
  // Beside a video that is watched, a closed frame is an advert more often than not.
  const closed = summaries.length === 0 && unreached.some(({ why }) => why === "closed");
  if (!(kept || closed) || picture === "none") return null;
  const words = picture === "off" ? say("tab_picture_offer") : say("tab_picture_lost");
  return { words, button: say("tab_picture_start") };
}

/** @param {Report} report */
export function showTabPicture(report) {
  const found = pictureWords(report);
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
