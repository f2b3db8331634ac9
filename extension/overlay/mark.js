// The box around one face: a small canvas that is moved without being drawn again. Between two
// verdicts the browser's compositor glides it along, which costs the page's main thread nothing.

import { drawBox } from "./look.js";

/** @typedef {import("../protocol/messages.js").Verdict} Verdict */
/** @typedef {import("./layout.js").Rect} Rect */

/** About the time between two verdicts at 10 samples per second. */
export const GLIDE_MS = 110;
/** Shorter steps (CSS pixels) are taken at once: gliding costs sixty pictures a second. */
const SHORT_STEP = 4;
/** Room for the line's own width and its shade. */
const BORDER = 6;
const LONGEST_SIDE = 1600;

export class Mark {
  /** @param {HTMLElement} stage */
  constructor(stage) {
    this.canvas = document.createElement("canvas");
    this.canvas.className = "box";
    this.canvas.setAttribute("aria-hidden", "true");
    stage.append(this.canvas);
    this.drawn = "";
    this.x = 0;
    this.y = 0;
  }

  /** @param {Rect} box within the stage @param {Verdict} verdict */
  place(box, verdict) {
    const width = Math.max(8, Math.round(box.width));
    const height = Math.max(8, Math.round(box.height));
    const drawn = `${width} ${height} ${verdict} ${devicePixelRatio}`;
    if (drawn !== this.drawn) {
      this.drawn = drawn;
      this.draw(width, height, verdict);
    }
    moveTo(this.canvas, this, box.x - BORDER, box.y - BORDER);
  }

  /** @param {number} width @param {number} height @param {Verdict} verdict */
  draw(width, height, verdict) {
    const full = { width: width + 2 * BORDER, height: height + 2 * BORDER };
    const ratio = Math.min(devicePixelRatio, LONGEST_SIDE / Math.max(full.width, full.height));
    this.canvas.width = Math.round(full.width * ratio);
    this.canvas.height = Math.round(full.height * ratio);
    this.canvas.style.width = `${full.width}px`;
    this.canvas.style.height = `${full.height}px`;
    const context = this.canvas.getContext("2d");
    if (!context) return;
    context.scale(ratio, ratio);
    drawBox(context, { x: BORDER, y: BORDER, width, height }, verdict);
  }

  remove() {
    this.canvas.remove();
  }
}

/**
 * Move an element of the stage, gliding where the step is long enough to be seen as one.
 * @param {HTMLElement} element
 * @param {{x: number, y: number}} last where it is; updated
 * @param {number} x
 * @param {number} y
 */
export function moveTo(element, last, x, y) {
  const step = Math.hypot(x - last.x, y - last.y);
  if (step < 0.1) return;
  last.x = x;
  last.y = y;
  element.classList.toggle("gliding", step >= SHORT_STEP);
  element.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`;
}
