// Where a video is in the picture of its tab, for videos whose own pixels cannot be read.

import { elementOf, intersect, placementOf } from "../overlay/layout.js";

/** @typedef {import("../overlay/layout.js").Rect} Rect */
/** @typedef {import("../shared/tab_picture.js").TabPlace} TabPlace */

/** A smaller visible part than this (of the picture) is not worth judging. */
const LEAST_VISIBLE = 0.1;
/** Nearer than this (CSS pixels) is the same place. */
const SAME = 0.5;

/** @typedef {Pick<TabPlace, "picture"|"visible"|"mirrored"|"view">} Where */
/** @typedef {{place: TabPlace, size: {width: number, height: number}, drawnOver: boolean}} Found */
/** @typedef {(element: Element, visible: Rect) => import("./covers.js").OnTop} Look */

/**
 * @param {HTMLVideoElement} video
 * @returns {Where} in the window, whatever lies on it
 */
export function whereOnTab(video) {
  const { picture, visible, mirrored } = placementOf(video);
  const view = viewOf();
  return { picture, visible: intersect(clipped(elementOf(video), visible), view), mirrored, view };
}

/** @param {Where} a @param {Where} b @returns {boolean} whether nothing has moved from one to the other */
export function isSamePlace(a, b) {
  if (a.mirrored !== b.mirrored) return false;
  return /** @type {const} */ (["picture", "visible", "view"]).every((part) =>
    /** @type {const} */ (["x", "y", "width", "height"]).every((side) => Math.abs(a[part][side] - b[part][side]) < SAME),
  );
}

/**
 * @param {HTMLVideoElement} video
 * @param {Look} look what lies on it
 * @returns {Found|null} null where too little of it can be seen; size: pixels of the whole picture of
 *     the video, never more than it has itself, for enlarging shows nothing new; drawnOver: the page
 *     draws over it what cannot be left out
 */
export function placeOnTab(video, look) {
  const where = whereOnTab(video);
  const { picture, visible, view } = where;
  const area = picture.width * picture.height;
  if (!(area > 0) || visible.width * visible.height < LEAST_VISIBLE * area) return null;
  const scale = Math.min(
    devicePixelRatio * (innerWidth / view.width),
    video.videoWidth / picture.width,
  );
  const size = {
    width: Math.max(1, Math.round(picture.width * scale)),
    height: Math.max(1, Math.round(picture.height * scale)),
  };
  const { covers, drawnOver } = look(elementOf(video), visible);
  return { place: { ...where, covers, rate: video.playbackRate }, size, drawnOver };
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
