// The sign that this video was flagged at another moment: what was found stays known when the face
// has gone, the clip begins anew or comes back into view.

import { icon } from "./look.js";
import { flaggedWords } from "./times.js";

/** @typedef {import("./memory.js").VideoMemory} VideoMemory */

/** So many stretches are named on the video; the card names more. */
const MOST_NAMED = 1;

export class Recall {
  /** @param {HTMLElement} corner of the stage */
  constructor(corner) {
    this.element = document.createElement("div");
    this.element.className = "recall";
    this.element.setAttribute("role", "note");
    this.element.hidden = true;
    this.text = document.createElement("span");
    this.text.className = "text";
    this.element.append(icon("likely_fake"), this.text);
    corner.append(this.element);
    /** @type {VideoMemory|null} */
    this.memory = null;
    this.version = -1;
  }

  /**
   * @param {VideoMemory|null} memory
   * @param {boolean} flaggedNow a face's own label says so at this moment
   * @returns {boolean} whether the sign has changed
   */
  tell(memory, flaggedNow) {
    const before = this.element.hidden === true;
    const hidden = flaggedNow || !memory || memory.flagVersion === 0;
    this.element.hidden = hidden;
    if (hidden || !memory) return hidden !== before;
    if (memory === this.memory && memory.flagVersion === this.version) return before;
    this.memory = memory;
    this.version = memory.flagVersion;
    this.text.textContent = flaggedWords(memory.flagged, memory.clock, MOST_NAMED);
    return true;
  }
}
