// The pictures that a frame is made of: one of each part of the video that is shown.

import { pixelsOf } from "./pixels.js";
import { planesOf } from "./planes.js";

/** @typedef {import("../protocol/messages.js").Place} Place */
/** @typedef {import("./fovea.js").Shown} Shown */
/** @typedef {import("./frames.js").Way} Way */
/** @typedef {import("./planes.js").Picture} Picture */

/**
 * @param {HTMLVideoElement} video
 * @param {VideoFrame|null} frame of it; null to take what the element shows
 * @param {Way} way
 * @param {Shown} shown
 * @returns {Promise<Picture[]>}
 * @throws {DOMException} named SecurityError where the browser lets nobody read them
 */
export function picturesOf(video, frame, way, { rect, ...size }) {
  if (!rect) return Promise.all([pictureOf(video, frame, way, null, size)]);
  const [across, down] = rect.video;
  return Promise.all(
    rect.parts.map(({ of, at }) => {
      const whole = of[2] === across && of[3] === down;
      const sides = at ? { width: at[2], height: at[3] } : size;
      return pictureOf(video, frame, way, whole ? null : of, sides);
    }),
  );
}

/**
 * @param {HTMLVideoElement} video
 * @param {VideoFrame|null} frame
 * @param {Way} way
 * @param {Place|null} part null for all of it
 * @param {{width: number, height: number}} size
 * @returns {Promise<Picture>}
 */
async function pictureOf(video, frame, way, part, size) {
  if (way === "pixels") return pixelsOf(video, part, size);
  const planes = frame && (await planesOf(frame, part));
  if (planes) return planes;
  const bitmap = { resizeWidth: size.width, resizeHeight: size.height };
  const source = frame ?? video;
  return part ? createImageBitmap(source, ...part, bitmap) : createImageBitmap(source, bitmap);
}

/** Whether a header is of a picture of the whole video. @param {Shown} shown */
export function isWhole({ rect }) {
  if (!rect) return true;
  const [{ of }, ...more] = rect.parts;
  return more.length === 0 && of[2] === rect.video[0] && of[3] === rect.video[1];
}
