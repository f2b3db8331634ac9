// How the pictures of one video are had, and what to try when a way turns out to be closed: what the
// element gives, then its pixels one by one, then the picture of the tab.

import { MOST_PER_SECOND } from "../capture/frames.js";
import { SHOTS_APART_MS, isSeen } from "../shared/tab_picture.js";

/** @typedef {import("../capture/frames.js").FrameTaker} FrameTaker */
/** @typedef {import("../capture/frames.js").Way} Way */
/** @typedef {import("../shared/tab_picture.js").TabPicture} TabPicture */

export class WayFinder {
  /** @param {FrameTaker} frames @param {TabPicture} picture @param {(way: Way) => void} onChange */
  constructor(frames, picture, onChange) {
    this.frames = frames;
    this.picture = picture;
    this.onChange = onChange;
    /** Per second, as the server says. */
    this.most = MOST_PER_SECOND;
    this.pixelsRefused = false;
  }

  get byTab() {
    return this.frames.way === "tab";
  }

  /** Whether single pictures are all there is. */
  get byShots() {
    return this.byTab && this.picture === "shots";
  }

  /**
   * The pictures cannot be read, or not be brought to the server.
   * @param {"unreadable"|"sandboxed"} why
   * @returns {boolean} whether another way is tried
   */
  closed(why) {
    const { way } = this.frames;
    if (way === "pixels") this.pixelsRefused = true;
    if (way === "element" && why === "unreadable" && !this.pixelsRefused) return this.change("pixels");
    if (way !== "tab" && isSeen(this.picture)) return this.change("tab");
    if (way === "pixels") this.change("element");
    return false;
  }

  /** The element shows something else, which may be open. */
  begin() {
    this.pixelsRefused = false;
    if (this.frames.way !== "element") this.change("element");
  }

  /**
   * @param {TabPicture} picture from now on
   * @param {boolean} needed whether there is no other way
   */
  setPicture(picture, needed) {
    this.picture = picture;
    if (this.byTab && !isSeen(picture)) this.change("element");
    else if (needed && isSeen(picture)) this.change("tab");
    this.setRate();
  }

  /** @param {Way} way */
  change(way) {
    this.frames.stop();
    this.frames.way = way;
    this.setRate();
    this.onChange(way);
    return true;
  }

  /** @param {number} [most] pictures per second that the server takes */
  setRate(most = this.most) {
    this.most = most;
    this.frames.mostPerSecond = this.byShots ? Math.min(most, 900 / SHOTS_APART_MS) : most;
  }
}
