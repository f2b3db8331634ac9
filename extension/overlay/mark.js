// The box around one face: a small canvas in a layer that is moved, with the face's label, without
// being drawn again. Where a face moves fast the browser's compositor glides the layer along.

import { SAMPLE_HZ } from "../protocol/messages.js";
import { ARM } from "./clear.js";
import { drawBox, drawCorners } from "./look.js";

/** @typedef {import("../protocol/messages.js").Verdict} Verdict */
/** @typedef {import("./layout.js").Rect} Rect */

/** A little longer than the time between two verdicts, so that the next one finds it under way. */
export const GLIDE_MS = Math.round(1100 / SAMPLE_HZ);
/**
 * Shorter steps (CSS pixels, and box widths) are taken at once. Gliding makes the browser put sixty
 * pictures a second together, twice as many as most videos have.
 */
const SHORT_STEP = 4;
const SHORT_STEP_WIDTHS = 0.08;
/** Shorter steps are left for the next verdict: every move costs the page a turn of its main thread. */
const LEAST_STEP = 0.8;
/** Room for the line's own width and its shade. */
const BORDER = 6;
/** Of a box's canvas, pixels of the screen. */
const MOST_CANVAS_SIDE = 1600;

export class Mark {
  /** @param {HTMLElement} stage */
  constructor(stage) {
    this.layer = document.createElement("div");
    this.layer.className = "face";
    this.canvas = document.createElement("canvas");
    this.canvas.className = "box";
    this.canvas.setAttribute("aria-hidden", "true");
    this.layer.append(this.canvas);
    stage.append(this.layer);
    this.drawn = "";
    this.x = 0;
    this.y = 0;
    this.width = 0;
    this.height = 0;
  }

  /**
   * @param {Rect} box within the stage
   * @param {Verdict} verdict
   * @param {boolean} [clear] corners alone, which stay out of the face's crop
   * @returns {boolean} whether the layer glides to its new place
   */
  place(box, verdict, clear = false) {
    const width = Math.max(8, Math.round(box.width));
    const height = Math.max(8, Math.round(box.height));
    const drawn = `${width} ${height} ${verdict} ${clear} ${devicePixelRatio}`;
    const isNew = this.drawn === "";
    if (drawn !== this.drawn) {
      this.drawn = drawn;
      this.width = width;
      this.height = height;
      this.draw(width, height, verdict, clear);
    }
    // A new box is there at once: it has no place to come from.
    const far = isNew ? Infinity : Math.max(SHORT_STEP, SHORT_STEP_WIDTHS * box.width);
    return moveTo(this.layer, this, box.x - BORDER, box.y - BORDER, far);
  }

  /** @param {number} width @param {number} height @param {Verdict} verdict @param {boolean} clear */
  draw(width, height, verdict, clear) {
    const full = { width: width + 2 * BORDER, height: height + 2 * BORDER };
    const ratio = Math.min(devicePixelRatio, MOST_CANVAS_SIDE / Math.max(full.width, full.height));
    this.canvas.width = Math.round(full.width * ratio);
    this.canvas.height = Math.round(full.height * ratio);
    this.canvas.style.width = `${full.width}px`;
    this.canvas.style.height = `${full.height}px`;
    const context = this.canvas.getContext("2d");
    if (!context) return;
    context.scale(ratio, ratio);
    const box = { x: BORDER, y: BORDER, width, height };
    if (clear) drawCorners(context, box, verdict, ARM * width);
    else drawBox(context, box, verdict);
  }

  /**
   * @param {boolean} clear whether it is drawn as corners alone
   * @returns {Rect[]} what is drawn, within the stage
   */
  rects(clear) {
    const { width, height } = this;
    const [x, y] = [this.x + BORDER, this.y + BORDER];
    const [across, down] = clear ? [ARM * width, ARM * width] : [width, height];
    /** @param {number} left @param {number} top @param {number} wide @param {number} high @returns {Rect} */
    const around = (left, top, wide, high) => ({
      x: left - BORDER,
      y: top - BORDER,
      width: wide + 2 * BORDER,
      height: high + 2 * BORDER,
    });
    return [x, x + width].flatMap((left) =>
      [y, y + height].flatMap((top) => [
        around(left === x ? x : left - across, top, across, 0),
        around(left, top === y ? y : top - down, 0, down),
      ]),
    );
  }

  remove() {
    this.layer.remove();
  }
}

/**
 * Move an element, gliding where the step is long enough to be seen as one.
 * @param {HTMLElement} element
 * @param {{x: number, y: number}} last where it is; updated
 * @param {number} x
 * @param {number} y
 * @param {number} far steps from this length on, in CSS pixels, glide
 * @returns {boolean} whether it glides
 */
export function moveTo(element, last, x, y, far) {
  const step = Math.hypot(x - last.x, y - last.y);
  if (step < LEAST_STEP) return false;
  const glides = step >= far;
  last.x = x;
  last.y = y;
  element.classList.toggle("gliding", glides);
  element.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`;
  return glides;
}
