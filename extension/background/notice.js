// A notification of the system when a face in a picture-in-picture window becomes likely fake. Off
// unless the person turns it on, which is when the browser asks for its permission.

import { floatingVerdict } from "./toolbar.js";
import { load } from "../shared/settings.js";

/** @typedef {import("../shared/states.js").Summary} Summary */

/**
 * @param {number} tabId
 * @param {readonly Summary[]} before
 * @param {readonly Summary[]} now
 */
export async function noticeFake(tabId, before, now) {
  if (floatingVerdict(now) !== "likely_fake" || floatingVerdict(before) === "likely_fake") return;
  if (!(await load()).notify || !(await chrome.permissions.contains({ permissions: ["notifications"] }))) return;
  await chrome.notifications.create(`floating-${tabId}`, {
    type: "basic",
    iconUrl: chrome.runtime.getURL("icons/128.png"),
    title: chrome.i18n.getMessage("verdict_likely_fake"),
    message: chrome.i18n.getMessage("floating_fake"),
  });
}
