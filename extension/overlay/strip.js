// A whole video as far as it was watched, in one strip: where a face was flagged stands a full block
// under a notch, where the signs point both ways a low dashed one, where nothing was seen a thin
// line. Dots are what was not judged. So the shapes say it without the colours.

import { contextOf } from "../shared/dom.js";
import { LOOKS } from "./look.js";

/** @typedef {import("./memory.js").Clock} Clock */
/** @typedef {import("./memory.js").Stretch} Stretch */
/**
 * @typedef {object} Strip
 * @property {number} from seconds, at the left edge
 * @property {number} to at the right edge
 * @property {number} at where the video is now
 * @property {readonly Stretch[]} stretches
 * @property {Clock} clock
 */

/** Of a stretch's mark, CSS pixels. */
const HEIGHTS = { likely_real: 2, unsure: 8, likely_fake: 14 };
const LEAST_WIDTH = 3;
/** Between the foot of the marks and the lower edge. */
const FOOT = 4;
const NOTCH = 3;

/** @param {HTMLCanvasElement} canvas @param {Strip} strip */
export function drawStrip(canvas, { from, to, at, stretches }) {
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  const context = width && height ? contextOf(canvas, width, height) : null;
  if (!context || !(to > from)) return;
  /** @param {number} time */
  const x = (time) => Math.min(width, Math.max(0, (width * (time - from)) / (to - from)));
  const foot = height - FOOT;
  context.strokeStyle = "rgba(255, 255, 255, 0.4)";
  context.lineWidth = 1;
  context.setLineDash([1, 3]);
  line(context, 0, width, foot - 0.5);
  context.setLineDash([]);
  for (const { from: start, to: end, verdict } of stretches) {
    const tall = HEIGHTS[verdict];
    const left = Math.min(x(start), width - LEAST_WIDTH);
    const right = Math.max(x(end), left + LEAST_WIDTH);
    context.fillStyle = context.strokeStyle = LOOKS[verdict].colour;
    if (verdict === "unsure") {
      context.lineWidth = tall;
      context.setLineDash([3, 2]);
      line(context, left, right, foot - tall / 2);
      context.setLineDash([]);
      continue;
    }
    context.fillRect(left, foot - tall, right - left, tall);
    if (verdict === "likely_fake") triangle(context, (left + right) / 2, foot - tall - 1, -NOTCH);
  }
  context.fillStyle = "#fff";
  context.fillRect(x(at) - 0.75, 0, 1.5, foot);
  triangle(context, x(at), foot, NOTCH);
}

/** @param {CanvasRenderingContext2D} context @param {number} left @param {number} right @param {number} y */
function line(context, left, right, y) {
  context.beginPath();
  context.moveTo(left, y);
  context.lineTo(right, y);
  context.stroke();
}

/** @param {CanvasRenderingContext2D} context @param {number} x @param {number} y of its tip @param {number} size downwards */
function triangle(context, x, y, size) {
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(x - Math.abs(size), y + size);
  context.lineTo(x + Math.abs(size), y + size);
  context.fill();
}
