// Where faces are cut out of a large video, and how the cut-outs lie in the one picture that is sent.
// Lengths are in pixels of the video, unless something else is said.

/** @typedef {import("../protocol/messages.js").Part} Part */
/** @typedef {{width: number, height: number}} Size */
/** @typedef {{x: number, y: number, side: number}} Spot the middle of a face and its box's longer side */
/**
 * @typedef {object} CutOut
 * @property {number} x left
 * @property {number} y top
 * @property {number} width
 * @property {number} height
 * @property {number} scale pixels that are sent per pixel of the video, at most 1
 * @property {number} side of the face that it was made for
 */

/** Of a face's side: the crop that is judged, and what is cut out, with room for movement. */
const CROP = 1.36;
const ROOM = 1.5;
/** The least of that room, pixels: a small face moves as far. */
const LEAST_ROOM = 32;
const MOST_ROOM = 2.4;
/** A face moves on for this long until what is cut out of it is seen, seconds. */
const AHEAD_S = 0.15;
/** Pixels of a face's side that are sent at the most: the networks look at 172 of them. */
const FACE_ENOUGH = 184;
/** A face that has grown or shrunk by this much gets another cut-out. */
const GROWN = 1.25;
/** JPEG codes pictures in blocks of this many pixels; most video in such of half of it and more. */
const BLOCK = 16;
const STEP = BLOCK / 2;

/**
 * @param {Spot} face
 * @param {number} speed pixels per second
 * @param {Size} video
 * @returns {CutOut}
 */
export function cutOutOf(face, speed, video) {
  const still = Math.max(ROOM * face.side, CROP * face.side + LEAST_ROOM);
  const wanted = Math.min(still + 2 * AHEAD_S * speed, MOST_ROOM * face.side);
  const side = Math.ceil(wanted / BLOCK) * BLOCK;
  const width = Math.min(side, even(video.width));
  const height = Math.min(side, even(video.height));
  return {
    x: along(face.x - width / 2, video.width - width),
    y: along(face.y - height / 2, video.height - height),
    width,
    height,
    scale: Math.min(1, FACE_ENOUGH / face.side),
    side: face.side,
  };
}

/**
 * @param {CutOut} cutOut
 * @param {Spot} face
 * @param {Size} video
 * @returns {boolean} whether the face can be judged by it still
 */
export function serves(cutOut, face, video) {
  const grown = face.side / cutOut.side;
  return grown < GROWN && grown > 1 / GROWN && holds(cutOut, face, CROP, video);
}

/**
 * @param {CutOut} cutOut
 * @param {Spot} face
 * @param {number} margin of the face's side
 * @param {Size} video beyond which nothing can be held
 */
export function holds({ x, y, width, height }, face, margin, video) {
  const half = (margin * face.side) / 2;
  return (
    Math.max(face.x - half, 0) >= x &&
    Math.max(face.y - half, 0) >= y &&
    Math.min(face.x + half, video.width) <= x + width &&
    Math.min(face.y + half, video.height) <= y + height
  );
}

/** Pixels that are sent. @param {CutOut} cutOut */
export function pixelsOf({ width, height, scale }) {
  return width * height * scale ** 2;
}

/**
 * Those that cost more apart than as one are made one.
 * @param {CutOut[]} cutOuts
 * @returns {CutOut[]}
 */
export function merged(cutOuts) {
  const left = [...cutOuts];
  for (let i = 0; i < left.length; i++) {
    for (let j = i + 1; j < left.length; j++) {
      const both = union(left[i], left[j]);
      if (pixelsOf(both) > pixelsOf(left[i]) + pixelsOf(left[j])) continue;
      left.splice(j, 1);
      left[i] = both;
      j = i; // which may touch those that were passed over
    }
  }
  return left;
}

/** @param {CutOut} a @param {CutOut} b @returns {CutOut} */
function union(a, b) {
  const x = Math.min(a.x, b.x);
  const y = Math.min(a.y, b.y);
  return {
    x,
    y,
    width: Math.max(a.x + a.width, b.x + b.width) - x,
    height: Math.max(a.y + a.height, b.y + b.height) - y,
    scale: Math.max(a.scale, b.scale),
    side: Math.min(a.side, b.side),
  };
}

/**
 * One below the other, each beginning with a block of its own.
 * @param {CutOut[]} cutOuts
 * @returns {{width: number, height: number, parts: Part[]}} sides in pixels of the picture
 */
export function stacked(cutOuts) {
  let width = 0;
  let height = 0;
  /** @type {Part[]} */
  const parts = [];
  for (const cutOut of cutOuts) {
    const top = Math.ceil(height / BLOCK) * BLOCK;
    const across = Math.max(1, Math.round(cutOut.width * cutOut.scale));
    const down = Math.max(1, Math.round(cutOut.height * cutOut.scale));
    parts.push({ of: [cutOut.x, cutOut.y, cutOut.width, cutOut.height], at: [0, top, across, down] });
    width = Math.max(width, across);
    height = top + down;
  }
  return { width, height, parts };
}

/** @param {number} wanted @param {number} most @returns {number} a place at the edge of a block */
function along(wanted, most) {
  return even(Math.min(Math.max(0, Math.round(wanted / STEP) * STEP), most));
}

/** Colours are coded for every second pixel. @param {number} length */
function even(length) {
  return 2 * Math.floor(length / 2);
}
