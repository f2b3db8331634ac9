// The document that has the pictures of tabs which a person asked Fakelight to look at. It knows
// nothing of pages: content scripts say where their videos are, and it answers with verdicts. It also
// plays the sound of a warning, which a service worker cannot.

import { chime } from "../notify/chime.js";
import { MOST_VIDEOS } from "../shared/limits.js";
import { VideoLink } from "../transport/relay/video_link.js";
import { TAB_PORT } from "../transport/tab_link.js";
import { cut } from "./cut.js";
import { FrameFinder, moved } from "./frame_place.js";
import { TabShots } from "./shots.js";
import { TabStream } from "./stream.js";

/** @typedef {import("../shared/tab_picture.js").Rect} Rect */
/** @typedef {import("../shared/tab_picture.js").TabPlace} TabPlace */
/** @typedef {import("../protocol/messages.js").FrameHeader} FrameHeader */
/** @typedef {import("./stream.js").Shot} Shot */
/** @typedef {{after(from: number): Promise<Shot|null>, close(): void}} Source */

/** A tab's picture of which nothing was needed for this long is given back. */
const IDLE_MS = 60_000;
const LOOK_EVERY_MS = 5_000;
/** From the screen to here. */
const USUAL_DELAY_MS = 12;

/** @type {Map<number, Source>} by the id of the tab */
const sources = new Map();
/** @type {Map<number, number>} when something of a tab's picture was last sent, milliseconds */
const usedAt = new Map();
/** @type {Set<number>} tabs that are not in front of their window */
const behind = new Set();
/** @type {Set<PlaceLink>} */
const links = new Set();

/** A page that does not say for so long (ms) where its video is has it moved, for all that is known. */
const PATIENCE_MS = 1000;

class PlaceLink extends VideoLink {
  /** @param {chrome.runtime.Port} port @param {number} tabId */
  constructor(port, tabId) {
    super(port, "tab", () => chrome.runtime.sendMessage({ type: "target" }));
    this.port = port;
    this.tabId = tabId;
    const frameId = port.sender?.frameId ?? 0;
    this.frame =
      frameId === 0
        ? null
        : new FrameFinder(() => chrome.runtime.sendMessage({ type: "frame-place", tabId, frameId }));
    /** @type {Map<number, (own: Rect[]|null) => void>} by the id of the frame that is waited for */
    this.waiting = new Map();
    port.onMessage.addListener((data) => this.receive(data));
    port.onDisconnect.addListener(() => this.end());
  }

  /** @override @param {any} data */
  receive(data) {
    if (data?.type === "place") void this.place(data.header, data.place);
    else if (data?.type === "stayed") this.waiting.get(data.frame_id)?.(data.own ?? null);
    else super.receive(data);
  }

  /** @param {FrameHeader} header @param {TabPlace} place */
  async place(header, place) {
    const picture = await this.cutOut(header, place);
    if (this.ended) closeAll(picture?.bitmaps);
    else if (!picture) this.port.postMessage({ type: "missed", frame_id: header.frame_id });
    else {
      usedAt.set(this.tabId, performance.now());
      await this.send(timed(header, picture.at, place.rate), picture.bitmaps);
    }
  }

  /**
   * @param {FrameHeader} header
   * @param {TabPlace} place in the window of the video's own document, before the tab's picture came
   * @returns {Promise<{bitmaps: ImageBitmap[], at: number}|null>} one of each part that is shown; null
   *     where there is none, or where it is not known that the video was in that place
   */
  async cutOut(header, place) {
    const source = behind.has(this.tabId) ? null : sources.get(this.tabId);
    const before = await this.frame?.before();
    if (!source || before === null) return null;
    const from = before ? performance.timeOrigin + performance.now() : header.captured_at;
    const found = await source.after(Math.max(from, header.captured_at));
    if (!found) return null;
    const { shot, size, at } = found;
    const own = this.ended ? null : await this.stayed(header.frame_id);
    const inWindow = own && { ...place, covers: [...place.covers, ...own] };
    const there = inWindow && before ? moved(inWindow, before) : inWindow;
    const bitmaps = there && cut(shot, size, there, header);
    shot.close();
    if (!bitmaps) return null;
    if (!before || (await this.frame?.stayed(before))) return { bitmaps, at };
    closeAll(bitmaps);
    return null;
  }

  /**
   * @param {number} frameId of a frame for which the tab's picture has come
   * @returns {Promise<Rect[]|null>} what Fakelight itself had drawn; null where the video has moved
   */
  stayed(frameId) {
    return new Promise((resolve) => {
      /** @param {Rect[]|null} own */
      const settle = (own) => {
        clearTimeout(timer);
        this.waiting.delete(frameId);
        resolve(own);
      };
      const timer = setTimeout(() => settle(null), PATIENCE_MS);
      this.waiting.set(frameId, settle);
      this.port.postMessage({ type: "taken", frame_id: frameId });
    });
  }

  /** @override */
  end() {
    links.delete(this);
    super.end();
    for (const settle of [...this.waiting.values()]) settle(null);
    this.port.disconnect();
  }
}

/** @param {ImageBitmap[]} [bitmaps] */
function closeAll(bitmaps = []) {
  for (const bitmap of bitmaps) bitmap.close();
}

/**
 * A tab's picture comes when the browser makes one, often of the video's next frame.
 * @param {FrameHeader} header of the frame that was asked for
 * @param {number} at when the picture came, milliseconds since the epoch
 * @param {number} rate at which the video plays
 * @returns {FrameHeader} with the times of what the picture shows
 */
function timed(header, at, rate) {
  const late = Math.max(0, at - USUAL_DELAY_MS - header.captured_at);
  const { captured_at, media_time } = header;
  return { ...header, captured_at: captured_at + late, media_time: media_time + (late * rate) / 1000 };
}

/** @param {number} tabId */
function linksOf(tabId) {
  return [...links].filter((link) => link.tabId === tabId);
}

setInterval(() => {
  const now = performance.now();
  for (const [tabId, at] of usedAt) {
    if (now - at < IDLE_MS) continue;
    usedAt.set(tabId, now); // asked once
    void chrome.runtime.sendMessage({ type: "tab-idle", tabId });
  }
}, LOOK_EVERY_MS);

chrome.runtime.onConnect.addListener((port) => {
  const tabId = port.sender?.tab?.id;
  if (port.name !== TAB_PORT || port.sender?.id !== chrome.runtime.id || tabId === undefined) return;
  if (!sources.has(tabId)) {
    port.disconnect();
    return;
  }
  if (linksOf(tabId).length >= MOST_VIDEOS) {
    // It stays open: whoever is turned away by its end tries again at once.
    port.postMessage({ type: "state", state: "full", detail: "" });
    return;
  }
  const link = new PlaceLink(port, tabId);
  links.add(link);
  void link.start();
});

/** @param {number} tabId */
function close(tabId) {
  sources.get(tabId)?.close();
  sources.delete(tabId);
  usedAt.delete(tabId);
  for (const link of linksOf(tabId)) link.end();
}

/** @param {number} tabId @param {Source} source */
function open(tabId, source) {
  close(tabId);
  sources.set(tabId, source);
  behind.delete(tabId);
  usedAt.set(tabId, performance.now());
}

/**
 * What the service worker asks for.
 * @type {Record<string, (message: any) => Promise<unknown>>}
 */
const handlers = {
  "tab-stream": async ({ tabId, id, size }) => {
    close(tabId); // the browser gives one stream of a tab at a time
    const lost = () => void chrome.runtime.sendMessage({ type: "tab-lost", tabId });
    open(tabId, await TabStream.open(id, size, lost));
  },
  "tab-shots": async ({ tabId }) => {
    const take = () => chrome.runtime.sendMessage({ type: "tab-shot", tabId });
    open(tabId, new TabShots(take));
  },
  "tab-close": async ({ tabId }) => {
    close(tabId);
    return { left: sources.size };
  },
  "tab-front": async ({ tabId, others }) => {
    if (tabId !== null) behind.delete(tabId);
    for (const other of others) behind.add(other);
  },
  chime: async () => {
    await chime();
    return { left: sources.size };
  },
  "target-changed": async () => {
    for (const link of links) void link.start();
  },
};

chrome.runtime.onMessage.addListener((message, sender, answer) => {
  if (sender.tab || sender.id !== chrome.runtime.id || message?.to !== "offscreen") return false;
  handlers[message.type](message).then(
    (done) => answer({ ok: true, done }),
    (error) => answer({ ok: false, error: String(error) }),
  );
  return true;
});
