// Where the label of a face goes: by its box, in the picture, off the eyes of every face and off the
// labels that stand already.

import { intersect } from "./layout.js";

/** @typedef {import("./layout.js").Rect} Rect */
/** @typedef {{width: number, height: number}} Size */
/** @typedef {"above"|"below"|"inside"|"right"|"left"|"foot"} Side */

const GAP = 6;
const EDGE = 4;
/** Between two labels, CSS pixels. */
const APART = 2;
/** From the best to the least. @type {readonly Side[]} */
const SIDES = ["above", "below", "inside", "right", "left", "foot"];
/** Where a label may lie on eyes, if it has to lie somewhere. @type {readonly Side[]} */
const LAST = ["above", "below", "inside"];

/** @param {Rect} box around a face @returns {Rect} the band in which its eyes are */
export function eyesOf({ x, y, width, height }) {
  return { x: x + 0.1 * width, y: y + 0.24 * height, width: 0.8 * width, height: 0.28 * height };
}

/**
 * @param {Size} label
 * @param {Rect} box around its face, within the stage
 * @param {Size} stage
 * @param {readonly Rect[]} taken labels and signs that stand already
 * @param {readonly Rect[]} eyes of every face
 * @param {Side} current the side in use gets a little grace, so that a face at the limit does not make
 *     its label hop
 * @returns {{x: number, y: number, side: Side}}
 */
export function labelSpot(label, box, stage, taken, eyes, current) {
  const { width, height } = label;
  const [rightmost, lowest] = [stage.width - width - EDGE, stage.height - height - EDGE];
  /** @param {number} value @param {number} most */
  const within = (value, most) => Math.max(EDGE, Math.min(most, value));
  const [x, y] = [within(box.x, rightmost), within(box.y, lowest)];
  /** @type {Record<Side, {x: number, y: number}>} */
  const spots = {
    above: { x, y: box.y - height - GAP },
    below: { x, y: box.y + box.height + GAP },
    inside: { x, y: within(box.y + GAP, lowest) },
    right: { x: box.x + box.width + GAP, y },
    left: { x: box.x - width - GAP, y },
    foot: { x, y: within(box.y + box.height - height - GAP, lowest) },
  };
  /** @param {Side} side @param {readonly Rect[]} off @returns {{x: number, y: number}|null} */
  const at = (side, off) => {
    const grace = side === current ? GAP : 0;
    const spot = spots[side];
    if (spot.x < EDGE - grace || spot.x > rightmost + grace) return null;
    if (spot.y < EDGE - grace || spot.y > lowest + grace) return null;
    const free = beside({ x: within(spot.x, rightmost), y: within(spot.y, lowest), width, height }, taken, lowest);
    return free && !off.some((one) => meet(free, shrunk(one, grace))) ? free : null;
  };
  for (const [sides, off] of /** @type {const} */ ([[SIDES, eyes], [LAST, []]])) {
    for (const side of sides) {
      const found = at(side, off);
      if (found) return { x: found.x, y: found.y, side };
    }
  }
  return { ...spots.inside, side: "inside" };
}

/**
 * @param {Rect} rect
 * @param {readonly Rect[]} taken
 * @param {number} lowest
 * @returns {Rect|null} under or over those in its way; null where there is no room either
 */
function beside(rect, taken, lowest) {
  let { y } = rect;
  for (const other of taken) {
    if (!meet({ ...rect, y }, other)) continue;
    const under = other.y + other.height + APART;
    y = under <= lowest ? under : Math.max(EDGE, other.y - rect.height - APART);
  }
  const found = { ...rect, y };
  return taken.some((other) => meet(found, other)) ? null : found;
}

/** @param {Rect} a @param {Rect} b */
function meet(a, b) {
  const { width, height } = intersect(a, b);
  return width > 0 && height > 0;
}

/** @param {Rect} rect @param {number} by @returns {Rect} */
function shrunk({ x, y, width, height }, by) {
  return { x: x + by, y: y + by, width: Math.max(0, width - 2 * by), height: Math.max(0, height - 2 * by) };
}
