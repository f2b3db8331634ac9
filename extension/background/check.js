// "Check with Fakelight" in the menu of pictures and videos: takes what the page has, and opens the
// page that sends it to the server.

import { collect } from "./collect.js";
import { CHECK_PAGE } from "../shared/paths.js";

/** @typedef {import("../shared/check_job.js").CheckJob} CheckJob */
/** @typedef {import("./collect.js").Collected} Collected */

const MENU = "check";
/** What one message between the parts of the extension may hold, less a margin and what base64 adds. */
const MOST_BYTES = 40_000_000;

/** @type {Map<string, CheckJob>} until their page has fetched them, a moment later */
const jobs = new Map();

export function offerCheck() {
  chrome.contextMenus.removeAll(() => {
    chrome.contextMenus.create({
      id: MENU,
      title: chrome.i18n.getMessage("check_menu"),
      contexts: ["image", "video"],
    });
  });
}

/** @param {string} id @returns {CheckJob|null} once */
export function takeJob(id) {
  const job = jobs.get(id) ?? null;
  jobs.delete(id);
  return job;
}

/**
 * @param {chrome.contextMenus.OnClickData} info
 * @param {chrome.tabs.Tab} [tab]
 */
export async function check(info, tab) {
  if (info.menuItemId !== MENU || tab?.id === undefined) return;
  const kind = info.mediaType === "video" ? "video" : "image";
  const address = info.srcUrl ?? "";
  const found = await inPage({ tabId: tab.id, frameIds: [info.frameId ?? 0] }, address, kind);
  const shot = found?.rect && !found.data ? await screenshot(tab.windowId, found.rect) : null;
  const id = crypto.randomUUID();
  const { data = null, whole = false, source = "" } = found ?? {};
  jobs.set(id, { kind, address: source || address, data, whole, shot, upload: null });
  await openPage(id, tab);
}

/**
 * A file that somebody has chosen on a page and wants checked.
 * @param {{id: string, name: string, type: string, size: number}} file
 * @param {chrome.runtime.MessageSender} sender which has it
 */
export async function checkUpload({ id, name, type, size }, { tab, frameId }) {
  if (tab?.id === undefined) return;
  const upload = { id, tabId: tab.id, frameId: frameId ?? 0, name: String(name), type: String(type), size: Number(size) };
  jobs.set(id, { kind: "video", address: "", data: null, whole: true, shot: null, upload });
  await openPage(id, tab);
}

/** @param {string} id @param {chrome.tabs.Tab} tab beside which it is opened */
async function openPage(id, tab) {
  await chrome.tabs.create({
    url: `${chrome.runtime.getURL(CHECK_PAGE)}#${id}`,
    index: tab.index + 1,
    openerTabId: tab.id,
  });
}

/**
 * @param {chrome.scripting.InjectionTarget} target
 * @param {string} address
 * @param {"image"|"video"} kind
 * @returns {Promise<Collected|null>} null where the browser lets no extension in
 */
async function inPage(target, address, kind) {
  try {
    const [answer] = await chrome.scripting.executeScript({ target, func: collect, args: [address, kind, MOST_BYTES] });
    return /** @type {Collected|null} */ (answer?.result ?? null);
  } catch {
    return null;
  }
}

/**
 * A picture that can be had in no other way, as it is on the screen.
 * @param {number} windowId
 * @param {NonNullable<Collected["rect"]>} rect
 * @returns {Promise<string|null>} a data URL
 */
async function screenshot(windowId, { x, y, width, height }) {
  try {
    const shot = await chrome.tabs.captureVisibleTab(windowId, { format: "png" });
    const bytes = Uint8Array.from(atob(shot.split(",")[1]), (letter) => letter.charCodeAt(0));
    const bitmap = await createImageBitmap(
      new Blob([bytes], { type: "image/png" }),
      Math.round(x),
      Math.round(y),
      Math.max(1, Math.round(width)),
      Math.max(1, Math.round(height)),
    );
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
    const cut = new Uint8Array(await (await canvas.convertToBlob({ type: "image/png" })).arrayBuffer());
    return `data:image/png;base64,${base64(cut)}`;
  } catch {
    return null; // the tab is no longer in front, or its site may not be captured
  }
}

/** @param {Uint8Array} bytes */
function base64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  }
  return btoa(text);
}
