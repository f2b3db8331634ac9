// Frames that are cut out of the tab's picture: where the video was when each was asked for, and whether
// it was still there when the picture came.

import { intersect } from "../overlay/layout.js";
import { drawnSince } from "../overlay/own_drawing.js";
import { Covers } from "./covers.js";
import { isSamePlace, placeOnTab, whereOnTab } from "./tab_place.js";

/** @typedef {import("../overlay/layout.js").Rect} Rect */
/** @typedef {import("./tab_place.js").Found} Found */
/** @typedef {import("./tab_place.js").Where} Where */
/** @typedef {import("../overlay/overlay.js").Overlay} Overlay */

/** Frames that nobody asks about any more. */
const MOST_KEPT = 16;

export class TabFrames {
  /** @param {() => {video: HTMLVideoElement, overlay: Overlay}} watched what is watched now */
  constructor(watched) {
    this.watched = watched;
    /** @type {Map<number, {video: HTMLVideoElement, where: Where, at: number}>} by the frame's id */
    this.asked = new Map();
    this.covers = new Covers();
  }

  /** @returns {Found|null} null where the video, or a face in it, cannot be seen */
  find() {
    const { video, overlay } = this.watched();
    if (!overlay.isClear()) return null;
    const found = placeOnTab(video, (element, visible) => this.covers.on(element, visible, overlay.faceSquares()));
    overlay.setDrawnOver(found?.drawnOver ?? false);
    return found;
  }

  /** @param {number} frameId @param {Where} where the video is as its picture is asked for */
  note(frameId, where) {
    const { video } = this.watched();
    this.asked.set(frameId, { video, where, at: performance.now() });
    if (this.asked.size > MOST_KEPT) this.asked.delete([...this.asked.keys()][0]);
  }

  /**
   * @param {number} frameId of which the picture has come
   * @returns {Promise<Rect[]|null>} what Fakelight itself has drawn on it meanwhile, in the window; null
   *     where the video has moved
   */
  async stayed(frameId) {
    const known = this.asked.get(frameId);
    this.asked.delete(frameId);
    const { video, overlay } = this.watched();
    if (!known || known.video !== video || !video.isConnected || !overlay.isClear()) return null;
    if (!isSamePlace(known.where, whereOnTab(video))) return null;
    // A frame that nobody can enter says nothing of its own place.
    if ("stayed" in video && !(await /** @type {any} */ (video).stayed())) return null;
    const { scrollX, scrollY } = globalThis;
    /** @type {Map<string, Rect>} */
    const own = new Map();
    for (const rect of drawnSince(known.at)) {
      const onVideo = intersect(known.where.visible, { ...rect, x: rect.x - scrollX, y: rect.y - scrollY });
      if (onVideo.width > 0 && onVideo.height > 0) own.set(JSON.stringify(onVideo), onVideo);
    }
    return [...own.values()];
  }
}
