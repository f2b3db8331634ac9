// The shortcut that goes to a face's label: of all frames of a tab, the one whose label matters most
// takes the focus.

import { record } from "./tabs.js";

/** Of the manifest's `commands`. */
export const GO_TO_LABEL = "go-to-label";

/** @param {number} tabId */
export async function goToLabel(tabId) {
  const { frames } = await record(tabId);
  /** @param {import("../shared/states.js").Summary[]} summaries */
  const rank = (summaries) => (summaries.some(({ fake }) => fake) ? 2 : summaries.some(({ faces }) => faces > 0) ? 1 : 0);
  const [best] = Object.entries(frames).sort(([, a], [, b]) => rank(b) - rank(a));
  if (!best) return;
  // No receiver is no fault: the frame has just gone.
  await chrome.tabs.sendMessage(tabId, { type: GO_TO_LABEL }, { frameId: Number(best[0]) }).catch(() => {});
}
