// The signs in the corner of the video: the state where no face's label says more, and what was
// found in this video before.

import { Badge } from "./badge.js";
import { Recall } from "./recall.js";

/** @typedef {import("./layout.js").Rect} Rect */

/** Between two signs, CSS pixels. */
export const SIGN_GAP = 4;

export class Corner {
  /** @param {HTMLElement} stage */
  constructor(stage) {
    this.element = document.createElement("div");
    this.element.className = "corner";
    stage.append(this.element);
    this.badge = new Badge(this.element);
    this.recall = new Recall(this.element);
    /** @type {Rect|null} where they lie within the stage; null when there is nothing to see */
    this.rect = null;
  }

  /**
   * @param {import("../shared/states.js").State} state
   * @param {string} detail
   * @param {{verdict: import("../protocol/messages.js").Verdict}[]} faces as they are told now
   * @param {import("./memory.js").VideoMemory|null} memory
   * @returns {boolean} whether the signs have changed, and with them the room that is left
   */
  tell(state, detail, faces, memory) {
    const flagged = faces.some(({ verdict }) => verdict === "likely_fake");
    const told = [this.badge.tell(state, detail, faces.length > 0), this.recall.tell(memory, flagged)];
    const changed = told.includes(true);
    if (changed) this.measure();
    return changed;
  }

  measure() {
    const signs = [this.badge.element, this.recall.element].filter(({ offsetHeight }) => offsetHeight > 0);
    this.element.style.setProperty("--above", `${this.badge.element.offsetHeight}px`);
    const height = signs.reduce((sum, { offsetHeight }) => sum + offsetHeight + SIGN_GAP, -SIGN_GAP);
    const { offsetLeft: x, offsetTop: y, offsetWidth: width } = this.element;
    this.rect = signs.length > 0 ? { x, y, width, height } : null;
  }
}
