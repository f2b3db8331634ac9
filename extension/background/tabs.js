// What each tab's content scripts have told, kept for the popup and the toolbar badge. The service
// worker may be stopped at any time, so the record lives in the session storage area.

import { showSigns } from "./toolbar.js";

/** @typedef {import("../shared/states.js").Summary} Summary */
/** @typedef {import("../shared/tab_picture.js").TabPicture} TabPicture */
/**
 * @typedef {object} TabRecord
 * @property {string|null} once the site on which it was turned on by a click, for this tab alone
 * @property {Record<string, Summary[]>} frames
 * @property {TabPicture} [picture] whether the tab's picture is looked at
 * @property {string|null} [pictureSite] the site for which it was asked
 */

/** @type {Promise<unknown>} */
let queue = Promise.resolve();

/** @param {number} tabId */
function keyOf(tabId) {
  return `tab-${tabId}`;
}

/** @param {number} tabId @returns {Promise<TabRecord>} */
export async function record(tabId) {
  const key = keyOf(tabId);
  const stored = (await chrome.storage.session.get(key))[key];
  return /** @type {TabRecord|undefined} */ (stored) ?? { once: null, frames: {} };
}

/**
 * Changes are made one after the other: reports of several frames come at the same time.
 * @param {number} tabId
 * @param {(record: TabRecord) => TabRecord|null} change null forgets the tab
 */
export function update(tabId, change) {
  const done = queue.then(async () => {
    const next = change(await record(tabId));
    if (next === null) await chrome.storage.session.remove(keyOf(tabId));
    else await chrome.storage.session.set({ [keyOf(tabId)]: next });
    const now = next ? summaries(next) : [];
    await showSigns(tabId, now, await allSummaries());
  });
  queue = done.catch(() => {});
  return done;
}

/**
 * Frames that left without a word are not told of any more.
 * @param {number} tabId
 * @param {number[]} frameIds those that are there
 */
export async function forgetGone(tabId, frameIds) {
  /** @param {TabRecord} tab */
  const there = ({ frames }) => Object.entries(frames).filter(([id]) => frameIds.includes(Number(id)));
  const tab = await record(tabId);
  if (there(tab).length === Object.keys(tab.frames).length) return;
  await update(tabId, (known) => ({ ...known, frames: Object.fromEntries(there(known)) }));
}

/** @param {TabRecord} tab @returns {Summary[]} */
export function summaries(tab) {
  return Object.values(tab.frames).flat();
}

/** @returns {Promise<Summary[]>} of every tab */
async function allSummaries() {
  const stored = await chrome.storage.session.get(null);
  const tabs = Object.entries(stored).filter(([key]) => key.startsWith("tab-"));
  return tabs.flatMap(([, tab]) => summaries(/** @type {TabRecord} */ (tab)));
}
