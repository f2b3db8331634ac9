// Where a video is in the picture of its tab, for videos whose own pixels cannot be read.

import { LONGEST_SIDE } from "../capture/frames.js";
import { elementOf, intersect, placementOf } from "../overlay/layout.js";

/** @typedef {import("../overlay/layout.js").Rect} Rect */
/** @typedef {import("../shared/tab_picture.js").TabPlace} TabPlace */

/** Points at which is looked for what covers a video, across and down. */
const PROBES = Object.freeze({ columns: 6, rows: 4 });
const MOST_COVERS = 8;
/** A smaller visible part than this (of the picture) is not worth judging. */
const LEAST_VISIBLE = 0.1;

/**
 * @param {HTMLVideoElement} video
 * @param {Rect[]} own parts of the window that the overlay hides
 * @returns {{place: TabPlace, size: {width: number, height: number}}|null} null where too little of it
 *     can be seen; size: pixels of the picture to send, never more than the video itself has, for
 *     enlarging shows nothing new
 */
export function placeOnTab(video, own) {
  const { picture, visible: shown, mirrored } = placementOf(video);
  const view = viewOf();
  const element = elementOf(video);
  const visible = intersect(clipped(element, shown), view);
  const area = picture.width * picture.height;
  if (!(area > 0) || visible.width * visible.height < LEAST_VISIBLE * area) return null;
  const scale = Math.min(
    devicePixelRatio * (innerWidth / view.width),
    video.videoWidth / picture.width,
    LONGEST_SIDE / Math.max(picture.width, picture.height),
  );
  const size = {
    width: Math.max(1, Math.round(picture.width * scale)),
    height: Math.max(1, Math.round(picture.height * scale)),
  };
  const covers = [...own.map((rect) => intersect(visible, rect)), ...coversOf(element, visible)];
  return { place: { picture, visible, covers, mirrored, rate: video.playbackRate, view }, size };
}

/** @returns {Rect} */
function viewOf() {
  const pinched = globalThis.visualViewport;
  if (!pinched || pinched.scale === 1) return { x: 0, y: 0, width: innerWidth, height: innerHeight };
  const { offsetLeft: x, offsetTop: y, scale } = pinched;
  return { x, y, width: innerWidth / scale, height: innerHeight / scale };
}

/**
 * What the boxes around an element leave of it.
 * @param {Element} element
 * @param {Rect} rect
 * @returns {Rect}
 */
function clipped(element, rect) {
  if (document.fullscreenElement?.contains(element)) return rect;
  let left = rect;
  for (let parent = parentOf(element); parent; parent = parentOf(parent)) {
    if (parent === document.body || parent === document.documentElement) break;
    if (getComputedStyle(parent).overflow === "visible") continue;
    const box = parent.getBoundingClientRect();
    left = intersect(left, {
      x: box.x + parent.clientLeft,
      y: box.y + parent.clientTop,
      width: parent.clientWidth || box.width,
      height: parent.clientHeight || box.height,
    });
  }
  return left;
}

/** @param {Element} element @returns {Element|null} as it is laid out, shadow roots and slots included */
function parentOf(element) {
  if (element.assignedSlot) return element.assignedSlot;
  if (element.parentElement) return element.parentElement;
  const root = element.getRootNode();
  return root instanceof ShadowRoot ? root.host : null;
}

/**
 * What is drawn over a video and hides it: other videos, frames, and boxes with a ground of their
 * own. Most of what lies on a player (its controls, captions) can be seen through.
 * @param {Element} video or the frame that it plays in
 * @param {Rect} visible
 * @returns {Rect[]}
 */
function coversOf(video, visible) {
  /** @type {Set<Element>} */
  const seen = new Set();
  /** @type {Rect[]} */
  const found = [];
  const root = /** @type {Document|ShadowRoot} */ (video.getRootNode());
  for (let row = 0; row < PROBES.rows; row++) {
    for (let column = 0; column < PROBES.columns; column++) {
      const x = visible.x + ((column + 0.5) / PROBES.columns) * visible.width;
      const y = visible.y + ((row + 0.5) / PROBES.rows) * visible.height;
      for (const element of [...document.elementsFromPoint(x, y), ...inRoot(root, x, y)]) {
        if (element === video) break;
        if (element.contains(video) || holds(element, video)) break;
        if (seen.has(element)) continue;
        seen.add(element);
        if (hides(element)) found.push(intersect(visible, element.getBoundingClientRect()));
      }
    }
  }
  return found.slice(0, MOST_COVERS);
}

/** @param {Document|ShadowRoot} root @param {number} x @param {number} y */
function inRoot(root, x, y) {
  return root instanceof ShadowRoot ? root.elementsFromPoint(x, y) : [];
}

/** @param {Element} element @param {Element} video whether it is in a shadow root below the element */
function holds(element, video) {
  for (let root = video.getRootNode(); root instanceof ShadowRoot; root = root.host.getRootNode()) {
    if (element === root.host || element.contains(root.host)) return true;
  }
  return false;
}

/** @param {Element} element */
function hides(element) {
  const style = getComputedStyle(element);
  if (Number(style.opacity) < 0.9) return false;
  if (element instanceof HTMLVideoElement || element instanceof HTMLIFrameElement) return true;
  return isOpaque(style.backgroundColor);
}

/** @param {string} colour as computed: `rgb(1, 2, 3)`, `rgba(0, 0, 0, 0.5)` or `color(srgb 0 0 0 / 0.5)` */
export function isOpaque(colour) {
  if (!colour || colour === "transparent") return false;
  const alpha = /(?:^rgba\(.*,|\/)\s*([\d.]+)\)$/.exec(colour);
  return alpha === null || Number(alpha[1]) >= 0.9;
}
