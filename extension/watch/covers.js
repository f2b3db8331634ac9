// What of the page lies on a video, for pictures of the tab: what hides it is left out of them, and
// what may be seen through but is too large to be left out is told.

import { intersect } from "../overlay/layout.js";

/** @typedef {import("../overlay/layout.js").Rect} Rect */
/** @typedef {{x: number, y: number}} Point in the window, CSS pixels */
/** @typedef {{covers: Rect[], drawnOver: boolean}} OnTop drawnOver: something is on it that is not left out */

/** Points at which is looked for what covers a video, across and down. */
const PROBES = Object.freeze({ columns: 6, rows: 4 });
/** Where a point stands in its field, in turn: four looks make twice as many points each way. */
const TURNS = Object.freeze([
  [0.25, 0.25],
  [0.75, 0.75],
  [0.75, 0.25],
  [0.25, 0.75],
]);
/** Points on each face, at every look. */
const ON_FACE = Object.freeze({ columns: 4, rows: 4 });
const MIDDLE = Object.freeze([0.5, 0.5]);
const MOST_COVERS = 24;
/** What shows a picture of its own, whether or not it takes clicks. */
const PICTURES = "canvas, img, svg, video, iframe, embed, object";
/** Pictures without a ground that can be asked for: what is drawn on them may be anything, or nothing. */
const SEE_THROUGH = ["canvas", "img", "svg"];
/** A larger part of a video than this is not left out for what may be seen through. */
const LARGE = 0.4;

export class Covers {
  constructor() {
    this.turn = 0;
    /**
     * What was found last, and at which point of its box: looked for there again, wherever the other
     * points stand.
     * @type {Map<Element, {x: number, y: number}>}
     */
    this.known = new Map();
  }

  /**
   * @param {Element} video or the frame that it plays in
   * @param {Rect} visible the part of it that is in view
   * @param {Rect[]} faces in the window, as far as they are known
   * @returns {OnTop}
   */
  on(video, visible, faces) {
    /** @type {Rect[]} */
    const covers = [];
    let drawnOver = false;
    const found = over(video, this.points(visible, faces));
    this.known.clear();
    for (const element of [...found.keys(), ...untouchable(video, found)]) {
      const kind = kindOf(element);
      if (kind === "clear") continue;
      const box = element.getBoundingClientRect();
      const at = found.get(element);
      if (at) this.known.set(element, { x: (at.x - box.x) / box.width, y: (at.y - box.y) / box.height });
      const rect = intersect(visible, box);
      const area = rect.width * rect.height;
      if (area === 0) continue;
      const isSure = kind === "hides" && at !== undefined;
      if (!isSure && area > LARGE * visible.width * visible.height) drawnOver = true;
      else covers.push(rect);
    }
    return { covers: covers.slice(0, MOST_COVERS), drawnOver: drawnOver || covers.length > MOST_COVERS };
  }

  /** @param {Rect} visible @param {Rect[]} faces @returns {Point[]} to look at */
  points(visible, faces) {
    const turn = TURNS[this.turn++ % TURNS.length];
    const points = grid(visible, PROBES, turn);
    for (const face of faces) points.push(...grid(intersect(visible, face), ON_FACE, MIDDLE));
    for (const [element, { x, y }] of this.known) {
      const box = element.getBoundingClientRect();
      points.push({ x: box.x + x * box.width, y: box.y + y * box.height });
    }
    // Beside the video there may be what lies under it.
    return points.filter(({ x, y }) => {
      const [across, down] = [x - visible.x, y - visible.y];
      return across > 0 && down > 0 && across < visible.width && down < visible.height;
    });
  }
}

/**
 * @param {Rect} rect
 * @param {{columns: number, rows: number}} fields into which it is parted
 * @param {readonly number[]} at where in each field
 * @returns {Point[]}
 */
function grid({ x, y, width, height }, { columns, rows }, [across, down]) {
  return Array.from({ length: columns * rows }, (_, n) => ({
    x: x + (((n % columns) + across) / columns) * width,
    y: y + ((Math.floor(n / columns) + down) / rows) * height,
  }));
}

/**
 * @param {Element} video
 * @param {Point[]} points
 * @returns {Map<Element, Point>} what is drawn after it there, and a point at which it is
 */
function over(video, points) {
  /** @type {Map<Element, Point>} */
  const found = new Map();
  const root = /** @type {Document|ShadowRoot} */ (video.getRootNode());
  for (const point of points) {
    const { x, y } = point;
    for (const element of [...document.elementsFromPoint(x, y), ...inRoot(root, x, y)]) {
      if (element === video) break;
      if (element.contains(video) || holds(element, video)) break;
      found.set(element, point);
    }
  }
  return found;
}

/**
 * What takes no clicks is not found by its place, and whether it lies on the video or under it is a guess.
 * @param {Element} video
 * @param {Map<Element, Point>} found
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
