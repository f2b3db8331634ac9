// Videos in embedded frames: where they are in the tab's window. A page may scroll or be pinched larger
// while its picture is taken, so a frame is looked for before and after: only where it was in the same
// place both times is it known where it is in the picture.

import { Fresh } from "../shared/fresh.js";

/** @typedef {import("../shared/tab_picture.js").FramePlace} FramePlace */
/** @typedef {import("../shared/tab_picture.js").Rect} Rect */
/** @typedef {import("../shared/tab_picture.js").TabPlace} TabPlace */

/** Between two looks for a frame, milliseconds: all frames of the tab are asked for that. */
const LOOK_EVERY_MS = 100;
/** Nearer than this (CSS pixels) is the same place. */
const SAME = 0.5;

export class FrameFinder {
  /** @param {() => Promise<FramePlace|null>} ask */
  constructor(ask) {
    this.fresh = new Fresh(ask, LOOK_EVERY_MS);
    /** @type {FramePlace|null} as it was told last */
    this.place = null;
  }

  /** @returns {Promise<FramePlace|null>} where it was at some time before now; null where it was not in view */
  async before() {
    return this.place ?? this.look();
  }

  /** @param {FramePlace} before @returns {Promise<boolean>} whether it is there still */
  async stayed(before) {
    const now = await this.look();
    return now !== null && isSame(before, now);
  }

  async look() {
    this.place = await this.fresh.next();
    return this.place;
  }
}

/** @param {FramePlace} a @param {FramePlace} b */
function isSame(a, b) {
  return /** @type {const} */ (["rect", "visible", "view"]).every((part) => isNear(a[part], b[part]));
}

/** @param {Rect} a @param {Rect} b */
function isNear(a, b) {
  return [a.x - b.x, a.y - b.y, a.width - b.width, a.height - b.height].every((off) => Math.abs(off) < SAME);
}

/**
 * @param {TabPlace} place in the frame's own window
 * @param {FramePlace} frame
 * @returns {TabPlace|null} in the tab's; null where nothing of it is in view
 */
export function moved(place, { rect, visible, view }) {
  // A frame may be scaled, with all that is in it.
  const across = rect.width / place.view.width;
  const down = rect.height / place.view.height;
  /** @param {Rect} inside @returns {Rect} */
  const outside = ({ x, y, width, height }) => ({
    x: rect.x + (x - place.view.x) * across,
    y: rect.y + (y - place.view.y) * down,
    width: width * across,
    height: height * down,
  });
  const seen = outside(place.visible);
  const x = Math.max(seen.x, visible.x);
  const y = Math.max(seen.y, visible.y);
  const width = Math.min(seen.x + seen.width, visible.x + visible.width) - x;
  const height = Math.min(seen.y + seen.height, visible.y + visible.height) - y;
  if (!(width > 0 && height > 0)) return null;
  return {
    ...place,
    picture: outside(place.picture),
    visible: { x, y, width, height },
    covers: place.covers.map(outside),
    view,
  };
}
