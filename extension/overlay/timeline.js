// The last half minute of one face's probability.

import { contextOf } from "../shared/dom.js";
import { LOOKS } from "./look.js";

/** @typedef {import("../protocol/messages.js").Verdict} Verdict */
/** @typedef {{time: number, probability: number|null, verdict: Verdict}} Point */

/** How far back the line reaches. */
export const SPAN_S = 30;
/** Room around the line, CSS pixels. */
const PAD = 2;

/**
 * Add a point and drop the ones that left the span.
 * @param {Point[]} points
 * @param {Point} point
 */
export function remember(points, point) {
  points.push(point);
  while (points.length > 0 && points[0].time < point.time - SPAN_S) points.shift();
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Point[]} points
 * @param {{grid: boolean}} options grid: lines at 0, 50 and 100 %
 */
export function drawTimeline(canvas, points, options) {
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  if (!width || !height) return;
  const context = contextOf(canvas, width, height);
  if (!context) return;
  /** @param {number} p */
  const y = (p) => height - PAD - p * (height - 2 * PAD);
  context.lineWidth = 1;
  context.strokeStyle = "rgba(255, 255, 255, 0.28)";
  for (const level of options.grid ? [0, 0.5, 1] : [0.5]) {
    context.setLineDash(level === 0.5 ? [2, 3] : []);
    context.beginPath();
    context.moveTo(0, y(level));
    context.lineTo(width, y(level));
    context.stroke();
  }
  context.setLineDash([]);
  const end = points.at(-1)?.time ?? 0;
  context.lineWidth = options.grid ? 2 : 1.5;
  context.lineJoin = "round";
  context.lineCap = "round";
  /** @type {{x: number, y: number, verdict: Verdict}|null} */
  let last = null;
  for (const { time, probability, verdict } of points) {
    if (probability === null) {
      if (last) context.stroke();
      last = null;
      continue;
    }
    const at = { x: width - PAD - ((end - time) / SPAN_S) * (width - 2 * PAD), y: y(probability), verdict };
    // One stroke for as long as the colour stays: hundreds of short ones cost the page time.
    if (last?.verdict !== verdict) {
      if (last) context.stroke();
      context.strokeStyle = LOOKS[verdict].colour;
      context.beginPath();
      context.moveTo(last?.x ?? at.x, last?.y ?? at.y);
    }
    context.lineTo(at.x, at.y);
    last = at;
  }
  if (last) context.stroke();
}
