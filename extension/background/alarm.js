// A notification of the system and a sound when a face is likely fake. Both are off unless the person
// turns them on, and silent in the hours that the person wants quiet.

import { playChime } from "./sound.js";
import { isQuiet } from "../notify/quiet.js";
import { noted } from "../notify/told.js";
import { isFirefox } from "../shared/sites.js";

/** @typedef {import("../shared/flag.js").Stretch} Stretch */
/** @typedef {import("../shared/settings.js").Settings} Settings */

const KEY = "told";

/** @type {Promise<unknown>} */
let queue = Promise.resolve();

/**
 * @param {Stretch & {id: string}} stretch
 * @param {{tabId: number, site: string}} place site: empty where it has none, or is not to be named
 * @param {Settings} settings
 */
export function alarm(stretch, place, settings) {
  const done = queue.then(async () => {
    if (!settings.notify && !settings.sound) return;
    const stored = /** @type {Stretch[]|undefined} */ ((await chrome.storage.session.get(KEY))[KEY]);
    const { isNew, told } = noted(stored ?? [], stretch);
    await chrome.storage.session.set({ [KEY]: told });
    // What began in the quiet hours is not told when they end.
    if (!isNew || isQuiet(settings.quiet, new Date())) return;
    if (settings.notify) await notify(stretch.id, place);
    if (settings.sound) await playChime();
  });
  // A sound that cannot be played must not keep the stretch out of the list.
  queue = done.catch(() => {});
  return queue;
}

/** @param {string} id @param {{tabId: number, site: string}} place */
async function notify(id, { tabId, site }) {
  if (!(await chrome.permissions.contains({ permissions: ["notifications"] }))) return;
  await chrome.notifications.create(`fake-${tabId}-${id}`, {
    type: "basic",
    iconUrl: chrome.runtime.getURL("icons/128.png"),
    title: chrome.i18n.getMessage("verdict_likely_fake"),
    message: site
      ? chrome.i18n.getMessage("notice_fake", site.replace(/^https?:\/\//, ""))
      : chrome.i18n.getMessage("spoken_fake"),
    // The sound is a choice of its own. Firefox refuses what it does not know.
    ...(isFirefox() ? {} : { silent: true }),
  });
}

/** A click leads to the tab. The browser has no such event before it has the permission. */
export function listenToNotices() {
  chrome.notifications?.onClicked.addListener(showTab);
}

/** @param {string} notice */
async function showTab(notice) {
  const [, tabId] = /^fake-(\d+)-/.exec(notice) ?? [];
  if (tabId === undefined) return;
  await chrome.notifications.clear(notice);
  const tab = await chrome.tabs.update(Number(tabId), { active: true }).catch(() => undefined);
  if (tab) await chrome.windows.update(tab.windowId, { focused: true });
}
