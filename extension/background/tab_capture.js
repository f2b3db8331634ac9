// The picture of a tab, which a click of the person opens and which ends with the page's site. The
// pictures themselves are the offscreen document's; this is their life cycle, and the document's.

import { record, update } from "./tabs.js";
import { survey } from "./unreachable.js";
import { OFFSCREEN_PAGE } from "../shared/paths.js";
import { siteOf } from "../shared/sites.js";
import { isSeen } from "../shared/tab_picture.js";

/** @typedef {import("../shared/tab_picture.js").TabPicture} TabPicture */

/** Browsers without it (Firefox) let a content script read what Chromium keeps from it. */
function canCapture() {
  return "tabCapture" in chrome && "offscreen" in chrome;
}

/** @type {Promise<unknown>} */
let queue = Promise.resolve();

/**
 * One after the other: the document is opened for the first tab and closed after the last.
 * @template T
 * @param {() => Promise<T>} task
 * @returns {Promise<T>}
 */
function inTurn(task) {
  const done = queue.then(task);
  queue = done.catch(() => {});
  return done;
}

async function isOpen() {
  const found = await chrome.runtime.getContexts({ contextTypes: ["OFFSCREEN_DOCUMENT"] });
  return found.length > 0;
}

/** One document for all tabs, which is what the browser lets an extension have. */
async function openDocument() {
  if (await isOpen()) return;
  await chrome.offscreen.createDocument({
    url: OFFSCREEN_PAGE,
    reasons: ["USER_MEDIA", "AUDIO_PLAYBACK"],
    justification: "Look at the picture of a tab whose video cannot be read in the page; play the sound of a warning.",
  });
}

/**
 * Have the document do something that is not about one tab.
 * @param {string} type
 */
export function inDocument(type) {
  return inTurn(async () => {
    await openDocument();
    await closeUnused(await ask({ type }));
  });
}

/** @param {{left: number}} answer how many tabs' pictures the document has */
async function closeUnused({ left }) {
  if (left === 0) await chrome.offscreen.closeDocument();
}

/** @param {{type: string, tabId?: number|null} & Record<string, unknown>} message @returns {Promise<any>} */
async function ask(message) {
  const answer = await chrome.runtime.sendMessage({ ...message, to: "offscreen" });
  if (!answer?.ok) throw new Error(answer?.error ?? "the page with the pictures of tabs does not answer");
  return answer.done;
}

/**
 * Open the tab's picture. Called by a click on the extension in that tab: the browser asks for one.
 * @param {number} tabId
 * @param {number} scale pixels of the screen per CSS pixel, without the page's zoom
 * @returns {Promise<TabPicture>} stream, or shots where the browser gives no stream
 */
export function openPicture(tabId, scale) {
  return inTurn(() => opened(tabId, scale));
}

/** @param {number} tabId @param {number} scale */
async function opened(tabId, scale) {
  const tab = await chrome.tabs.get(tabId);
  await openDocument();
  /** @type {TabPicture} */
  let picture = "stream";
  try {
    const id = await chrome.tabCapture.getMediaStreamId({ targetTabId: tabId });
    const size = { width: Math.round((tab.width ?? 1280) * scale), height: Math.round((tab.height ?? 720) * scale) };
    await ask({ type: "tab-stream", tabId, id, size });
  } catch {
    // Another extension has the tab's stream, or this browser gives none.
    picture = "shots";
    await ask({ type: "tab-shots", tabId });
  }
  const now = await chrome.tabs.get(tabId);
  // The click was for the site that was there.
  if (now.url !== tab.url && siteOf(now.url) !== siteOf(tab.url)) {
    await close(tabId);
    throw new Error("the tab left its site while its picture was being opened");
  }
  await update(tabId, (known) => ({ ...known, picture, pictureSite: siteOf(tab.url) }));
  if (!now.active) await ask({ type: "tab-front", tabId: null, others: [tabId] });
  return picture;
}

/**
 * @param {number} tabId
 * @param {"off"|"lost"} picture why it ends: asked for, or not
 */
export function endPicture(tabId, picture) {
  return inTurn(async () => {
    await update(tabId, (known) => ({ ...known, picture }));
    await close(tabId);
  });
}

/** The tab is gone, and so is what was known of it. @param {number} tabId */
export function forgetPicture(tabId) {
  return inTurn(() => close(tabId));
}

/** @param {number} tabId */
async function close(tabId) {
  if (!canCapture() || !(await isOpen())) return;
  await closeUnused(await ask({ type: "tab-close", tabId }));
}

/**
 * A tab came to the front of its window: of those behind it nothing is looked at.
 * @param {number} tabId
 * @returns {Promise<number[]>} those of them whose picture could be had
 */
export async function broughtToFront(tabId) {
  if (!canCapture() || !(await isOpen())) return [];
  const others = await behind(tabId);
  await ask({ type: "tab-front", tabId, others });
  const pictures = await Promise.all(others.map(pictureOf));
  return others.filter((_, place) => isSeen(pictures[place]));
}

/** @param {number} tabId @returns {Promise<number[]>} the other tabs of its window */
async function behind(tabId) {
  const { windowId } = await chrome.tabs.get(tabId);
  return (await chrome.tabs.query({ windowId })).flatMap(({ id }) => (id === undefined || id === tabId ? [] : [id]));
}

/** New settings of the server. */
export async function targetChanged() {
  if (canCapture() && (await isOpen())) await ask({ type: "target-changed" });
}

/**
 * @param {number} tabId
 * @returns {Promise<TabPicture>}
 */
export async function pictureOf(tabId) {
  if (!canCapture()) return "none";
  return (await record(tabId)).picture ?? "off";
}

/** @param {number} tabId whether the browser took away the document with its picture */
export async function isGone(tabId) {
  return isSeen(await pictureOf(tabId)) && !(await isOpen());
}

/**
 * Where a frame lies in the tab's window, for content scripts that know only their own.
 * @param {number} tabId
 * @param {number} frameId
 * @returns {Promise<import("../shared/tab_picture.js").FramePlace|null>} null where it cannot be told
 */
export async function framePlace(tabId, frameId) {
  const found = await survey(tabId, []);
  const frame = found?.entered.find((one) => one.frameId === frameId);
  if (!found || !frame?.visible) return null;
  return { rect: frame.rect, visible: frame.visible, view: found.view };
}

/**
 * Frames as large as players into which nobody lets the extension, and from which nothing answers.
 * @param {number} tabId
 * @returns {Promise<import("../shared/tab_picture.js").Rect[]>} in the tab's window; those in view
 */
export async function closedFrames(tabId) {
  const found = await survey(tabId, []);
  const closed = found?.unreached.filter(
    ({ why, frameId, visible }) => (why === "closed" || why === "elsewhere") && frameId === null && visible,
  );
  return (closed ?? []).map(({ rect }) => rect);
}

/** @param {number} tabId @returns {Promise<string>} what is shown of it now, as a data: address */
export async function shotOf(tabId) {
  const tab = await chrome.tabs.get(tabId);
  if (!tab.active) throw new Error("the tab is not in front");
  const shot = await chrome.tabs.captureVisibleTab(tab.windowId, { format: "jpeg", quality: 95 });
  if (!(await chrome.tabs.get(tabId)).active) throw new Error("another tab came to the front");
  return shot;
}
