// What of the page lies on a video, for pictures of the tab: what hides it is left out of them, and
// what may be seen through but is too large to be left out is told.

import { intersect } from "../overlay/layout.js";

/** @typedef {import("../overlay/layout.js").Rect} Rect */
/** @typedef {{covers: Rect[], drawnOver: boolean}} OnTop drawnOver: something is on it that is not left out */

/** Points at which is looked for what covers a video, across and down. */
const PROBES = Object.freeze({ columns: 6, rows: 4 });
const MOST_COVERS = 24;
/** What shows a picture of its own, whether or not it takes clicks. */
const PICTURES = "canvas, img, svg, video, iframe, embed, object";
/** Pictures without a ground that can be asked for: what is drawn on them may be anything, or nothing. */
const SEE_THROUGH = ["canvas", "img", "svg"];
/** A larger part of a video than this is not left out for what may be seen through. */
const LARGE = 0.4;

/**
 * @param {Element} video or the frame that it plays in
 * @param {Rect} visible the part of it that is in view
 * @returns {OnTop}
 */
export function onTopOf(video, visible) {
  /** @type {Rect[]} */
  const covers = [];
  let drawnOver = false;
  const found = over(video, visible);
  const guessed = untouchable(video, found);
  for (const element of [...found, ...guessed]) {
    const kind = kindOf(element);
    if (kind === "clear") continue;
    const rect = intersect(visible, element.getBoundingClientRect());
    const area = rect.width * rect.height;
    if (area === 0) continue;
    const isSure = kind === "hides" && found.has(element);
    if (!isSure && area > LARGE * visible.width * visible.height) drawnOver = true;
    else covers.push(rect);
  }
  return { covers: covers.slice(0, MOST_COVERS), drawnOver: drawnOver || covers.length > MOST_COVERS };
}

/** @param {Element} video @param {Rect} visible @returns {Set<Element>} what is drawn after it there */
function over(video, visible) {
  /** @type {Set<Element>} */
  const found = new Set();
  const root = /** @type {Document|ShadowRoot} */ (video.getRootNode());
  for (let row = 0; row < PROBES.rows; row++) {
    for (let column = 0; column < PROBES.columns; column++) {
      const x = visible.x + ((column + 0.5) / PROBES.columns) * visible.width;
      const y = visible.y + ((row + 0.5) / PROBES.rows) * visible.height;
      for (const element of [...document.elementsFromPoint(x, y), ...inRoot(root, x, y)]) {
        if (element === video) break;
        if (element.contains(video) || holds(element, video)) break;
        found.add(element);
      }
    }
  }
  return found;
}

/**
 * What takes no clicks is not found by its place, and whether it lies on the video or under it is a guess.
 * @param {Element} video
 * @param {Set<Element>} found
 */
function untouchable(video, found) {
  const root = /** @type {Document|ShadowRoot} */ (video.getRootNode());
  return [...root.querySelectorAll(PICTURES)].filter(
    (one) => one !== video && !found.has(one) && getComputedStyle(one).pointerEvents === "none" && isLater(one, video),
  );
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

/** @param {Element} element @param {Element} video @returns {boolean} whether it is drawn after the video, as far as that can be told */
function isLater(element, video) {
  const [mine, its] = [element, video].map((one) => Number(getComputedStyle(one).zIndex) || 0);
  const follows = (video.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0;
  return mine > its || (mine === its && follows);
}

/** @param {Element} element @returns {"hides"|"unknown"|"clear"} unknown: what is drawn on it cannot be told */
function kindOf(element) {
  if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) return "clear";
  const style = getComputedStyle(element);
  const pictured = element.matches(PICTURES);
  if (Number(style.opacity) < 0.9) return pictured ? "unknown" : "clear";
  if (isOpaque(style.backgroundColor) || (pictured && !SEE_THROUGH.includes(element.localName))) return "hides";
  return pictured || style.backgroundImage.includes("url(") ? "unknown" : "clear";
}

/** @param {string} colour as computed: `rgb(1, 2, 3)`, `rgba(0, 0, 0, 0.5)` or `color(srgb 0 0 0 / 0.5)` */
export function isOpaque(colour) {
  if (!colour || colour === "transparent") return false;
  const alpha = /(?:^rgba\(.*,|\/)\s*([\d.]+)\)$/.exec(colour);
  return alpha === null || Number(alpha[1]) >= 0.9;
}
