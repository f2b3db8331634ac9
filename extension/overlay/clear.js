// Where marks and labels go when what is judged is a picture of the tab, in which they are seen as
// well: nothing of them may lie in what the networks look at, or the answer would judge itself.

import { faceWithin, intersect } from "./layout.js";

/** @typedef {import("./layout.js").Rect} Rect */
/** @typedef {{width: number, height: number}} Size */
/** @typedef {{above: boolean, below: boolean, left: boolean, right: boolean}} Room outside of the picture */

/**
 * Side of the square that stays clear, in longer sides of the face. The crop (stream_server/vision/
 * crop.py) is a square of 1.3, turned with the face, and a face moves on between two answers.
 */
export const CLEAR = 1.6;
/**
 * Arms of the corners, in sides of that square. So short that no crop of 1.3, however it is turned,
 * meets them.
 */
export const ARM = 0.11;
const GAP = 6;
/** Room above and below the picture that labels may use, CSS pixels. */
export const OUTSIDE = 48;
/** Room on its left and right: as wide as labels are. */
export const BESIDE = 244;

/** @param {Rect} box as boxAround makes it @returns {Rect} the square that stays clear, around the same face */
export function clearAround(box) {
  const face = faceWithin(box);
  const side = CLEAR * Math.max(face.width, face.height);
  return {
    x: face.x + (face.width - side) / 2,
    y: face.y + (face.height - side) / 2,
    width: side,
    height: side,
  };
}

/** @param {Rect} a @param {Rect} b */
export function meet(a, b) {
  const { width, height } = intersect(a, b);
  return width > 0 && height > 0;
}

/**
 * Where a label goes: by its face, off every face and label; else out of the picture, above, below or
 * beside it; else into the corner farthest from the face.
 * @param {Size} label
 * @param {Rect} clear the square around its face, within the stage
 * @param {Rect[]} faces their squares
 * @param {Rect[]} labels that stand already
 * @param {Size} stage
 * @param {Room} room whether the window has room for a label there
 * @returns {Rect}
 */
export function clearSpot(label, clear, faces, labels, stage, room) {
  const right = stage.width - label.width;
  const bottom = stage.height - label.height;
  const x = Math.max(0, Math.min(right, clear.x));
  const y = Math.max(0, Math.min(bottom, clear.y));
  const spots = [
    { x, y: clear.y - label.height - GAP },
    { x, y: clear.y + clear.height + GAP },
    { x: clear.x + clear.width + GAP, y },
    { x: clear.x - label.width - GAP, y },
  ].filter((spot) => spot.x >= 0 && spot.x <= right && spot.y >= 0 && spot.y <= bottom);
  const levels = [...(room.below ? [stage.height + GAP] : []), ...(room.above ? [-label.height - GAP] : [])];
  const columns = [...(room.right ? [stage.width + GAP] : []), ...(room.left ? [-label.width - GAP] : [])];
  const outside = [
    ...levels.flatMap((level) => [x, 0, right].map((along) => ({ x: along, y: level }))),
    ...columns.flatMap((column) => [y, 0, bottom].map((level) => ({ x: column, y: level }))),
  ];
  const tries = [
    ...spots.map((spot) => ({ spot, taken: [...faces, ...labels] })),
    ...outside.map((spot) => ({ spot, taken: labels })),
  ];
  for (const { spot, taken } of tries) {
    const rect = { ...spot, ...size(label) };
    if (!taken.some((other) => meet(rect, other))) return rect;
  }
  // A face in the very middle, where most are, must not send its label to and fro.
  const isRight = clear.x + clear.width / 2 > 0.55 * stage.width;
  const isLow = clear.y + clear.height / 2 > 0.55 * stage.height;
  return {
    x: isRight ? 0 : Math.max(0, right),
    y: isLow ? 0 : Math.max(0, bottom),
    ...size(label),
  };
}

/** @param {Size} label */
function size({ width, height }) {
  return { width, height };
}
