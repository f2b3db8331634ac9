// The memories of all videos that one document has shown, found by which video it is.

import { isSame, likenessOf } from "./likeness.js";
import { VideoMemory } from "../overlay/memory.js";

/** @typedef {import("./likeness.js").Likeness} Likeness */

/** Of an endless list the videos that were not seen for longest are forgotten. */
export const MOST_REMEMBERED = 200;

export class Memories {
  constructor() {
    /** @type {{likeness: Likeness, memory: VideoMemory}[]} the last one seen at the end */
    this.known = [];
  }

  /**
   * @param {HTMLVideoElement} video
   * @returns {VideoMemory|null} null while it cannot be told which video it is
   */
  of(video) {
    const likeness = likenessOf(video);
    if (!likeness) return null;
    const index = this.known.findIndex((one) => isSame(one.likeness, likeness));
    const [found] = index >= 0 ? this.known.splice(index, 1) : [];
    const memory = found?.memory ?? new VideoMemory(likeness.kind === "stream" ? "day" : "media");
    this.known.push({ likeness, memory });
    if (this.known.length > MOST_REMEMBERED) this.known.shift();
    return memory;
  }

  /**
   * A video in play has become longer, or its end has become known: it is still the same.
   * @param {HTMLVideoElement} video
   * @param {VideoMemory} memory
   */
  grown(video, memory) {
    const likeness = likenessOf(video);
    const entry = this.known.find((one) => one.memory === memory);
    if (likeness && entry) entry.likeness = likeness;
  }
}
