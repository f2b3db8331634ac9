// Where the picture of a video is on the page: object-fit, object-position, borders, mirroring.

import { isMirrored } from "../shared/mirrored.js";

/** @typedef {{x: number, y: number, width: number, height: number}} Rect */

/** Air between a face and the line around it, in face widths. */
const AIR = 0.07;

/**
 * @param {Rect} face
 * @returns {Rect} the box that is drawn around it
 */
export function boxAround(face) {
  const air = AIR * face.width;
  return {
    x: face.x - air,
    y: face.y - air,
    width: face.width + 2 * air,
    height: face.height + 2 * air,
  };
}

/**
 * @param {Rect} box as boxAround makes it
 * @returns {Rect} the face in it
 */
export function faceWithin(box) {
  const width = box.width / (1 + 2 * AIR);
  const air = AIR * width;
  return { x: box.x + air, y: box.y + air, width, height: box.height - 2 * air };
}

/**
 * The rectangle in which the picture is drawn inside a content box.
 * @param {Rect} content the element's content box
 * @param {number} pictureWidth
 * @param {number} pictureHeight
 * @param {string} fit computed object-fit
 * @param {string} position computed object-position, such as "50% 50%" or "0px 100%"
 * @returns {Rect} may reach beyond the content box (cover, none)
 */
export function pictureRect(content, pictureWidth, pictureHeight, fit, position) {
  if (!(pictureWidth > 0 && pictureHeight > 0) || fit === "fill") return { ...content };
  const contain = Math.min(content.width / pictureWidth, content.height / pictureHeight);
  let scale = contain;
  if (fit === "cover") {
    scale = Math.max(content.width / pictureWidth, content.height / pictureHeight);
  } else if (fit === "none") scale = 1;
  else if (fit === "scale-down") scale = Math.min(1, contain);
  const width = pictureWidth * scale;
  const height = pictureHeight * scale;
  const [px = "50%", py = "50%"] = position.split(" ");
  return {
    x: content.x + offset(px, content.width - width),
    y: content.y + offset(py, content.height - height),
    width,
    height,
  };
}

/** @param {string} part @param {number} room */
function offset(part, room) {
  const value = Number.parseFloat(part);
  if (!Number.isFinite(value)) return room / 2;
  return part.endsWith("%") ? (room * value) / 100 : value;
}

/**
 * @param {Rect} a
 * @param {Rect} b
 * @returns {Rect} empty (no width, no height) when they do not meet
 */
export function intersect(a, b) {
  const x = Math.max(a.x, b.x);
  const y = Math.max(a.y, b.y);
  const width = Math.max(0, Math.min(a.x + a.width, b.x + b.width) - x);
  const height = Math.max(0, Math.min(a.y + a.height, b.y + b.height) - y);
  return { x, y, width, height };
}

/**
 * @typedef {object} Placement
 * @property {Rect} picture where the whole picture is, in CSS pixels of the viewport
 * @property {Rect} visible the part of it that the element shows
 * @property {boolean} mirrored
 */

/**
 * A player in a frame that cannot be entered stands for a video (watch/closed_frames.js).
 * @typedef {{element: Element, placement(): Placement}} Framed
 */

/** @param {HTMLVideoElement|Framed} video @returns {Element} what of it is in the document */
export function elementOf(video) {
  return "placement" in video ? video.element : video;
}

/**
 * @param {HTMLVideoElement|Framed} video
 * @returns {Placement}
 */
export function placementOf(video) {
  if ("placement" in video) return video.placement();
  const style = getComputedStyle(video);
  const outer = video.getBoundingClientRect();
  // offsetWidth knows nothing of transforms; the ratio undoes a scaling by CSS.
  const sx = video.offsetWidth ? outer.width / video.offsetWidth : 1;
  const sy = video.offsetHeight ? outer.height / video.offsetHeight : 1;
  const left = px(style.borderLeftWidth) + px(style.paddingLeft);
  const right = px(style.borderRightWidth) + px(style.paddingRight);
  const top = px(style.borderTopWidth) + px(style.paddingTop);
  const bottom = px(style.borderBottomWidth) + px(style.paddingBottom);
  const content = {
    x: outer.x + left * sx,
    y: outer.y + top * sy,
    width: Math.max(0, outer.width - (left + right) * sx),
    height: Math.max(0, outer.height - (top + bottom) * sy),
  };
  const scaled = pictureRect(
    { x: 0, y: 0, width: content.width / (sx || 1), height: content.height / (sy || 1) },
    video.videoWidth,
    video.videoHeight,
    style.objectFit,
    style.objectPosition,
  );
  const picture = {
    x: content.x + scaled.x * sx,
    y: content.y + scaled.y * sy,
    width: scaled.width * sx,
    height: scaled.height * sy,
  };
  return { picture, visible: intersect(picture, content), mirrored: isMirrored(video) };
}

/** @param {string} length */
function px(length) {
  return Number.parseFloat(length) || 0;
}
