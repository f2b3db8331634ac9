// Where the videos of a document are, shadow roots included.

import { isFloating } from "./floating.js";
import { SMALLEST } from "../shared/limits.js";

/**
 * @param {Element} element
 * @returns {ShadowRoot|null}
 */
function shadowOf(element) {
  if (element.shadowRoot) return element.shadowRoot;
  // Only custom elements and a handful of built-in ones can have a closed root; asking for every
  // element of a large page would cost more than the answer is worth.
  if (!(element instanceof HTMLElement) || !element.localName.includes("-")) return null;
  const { chrome: api } = globalThis;
  // Chromium's way, and Firefox's.
  const found = api?.dom?.openOrClosedShadowRoot?.(element) ?? Reflect.get(element, "openOrClosedShadowRoot");
  return /** @type {ShadowRoot|null} */ (found ?? null);
}

/**
 * @param {Document|ShadowRoot} root
 * @returns {HTMLVideoElement[]} in no particular order
 */
export function findVideos(root) {
  /** @type {HTMLVideoElement[]} */
  const videos = [];
  /** @type {(Document|ShadowRoot)[]} */
  const open = [root];
  for (let next = open.pop(); next; next = open.pop()) {
    for (const element of next.querySelectorAll("*")) {
      // By name: in another window of the page the class is another one.
      if (element.localName === "video") videos.push(/** @type {HTMLVideoElement} */ (element));
      const shadow = shadowOf(element);
      if (shadow) open.push(shadow);
    }
  }
  return videos;
}

/**
 * Visible area of a video in CSS pixels, in whichever window it is, 0 when it is too small, hidden or out of view.
 * @param {HTMLVideoElement} video
 */
export function visibleArea(video) {
  if (!video.isConnected) return 0;
  const view = video.ownerDocument?.defaultView ?? globalThis;
  if (isFloating(video)) return view.innerWidth * view.innerHeight; // in front, wherever its place is
  const box = video.getBoundingClientRect();
  if (box.width < SMALLEST.width || box.height < SMALLEST.height) return 0;
  if (video.checkVisibility && !video.checkVisibility({ visibilityProperty: true })) return 0;
  const width = Math.min(box.right, view.innerWidth) - Math.max(box.left, 0);
  const height = Math.min(box.bottom, view.innerHeight) - Math.max(box.top, 0);
  return width > 0 && height > 0 ? width * height : 0;
}

/** @param {HTMLVideoElement} video */
function hasSource({ readyState, networkState }) {
  const { NETWORK_LOADING, NETWORK_IDLE } = HTMLMediaElement;
  return readyState >= 2 || networkState === NETWORK_LOADING || networkState === NETWORK_IDLE;
}

/**
 * The videos worth watching now: visible, with pictures, the largest first.
 * @param {HTMLVideoElement[]} videos
 * @param {(video: HTMLVideoElement) => boolean} known true for videos that are watched already: a
 *     pause does not end their session, nor does the moment in which a loop or another source loads
 * @param {number} most
 */
export function choose(videos, known, most) {
  return videos
    .filter((video) => (known(video) ? hasSource(video) : video.readyState >= 2 && !video.paused))
    .map((video) => ({ video, area: visibleArea(video) }))
    .filter(({ area }) => area > 0)
    .sort((a, b) => b.area - a.area)
    .slice(0, most)
    .map(({ video }) => video);
}
