// Videos in embedded frames: where they are in the tab's window.

/** @typedef {import("../shared/tab_picture.js").FramePlace} FramePlace */
/** @typedef {import("../shared/tab_picture.js").Rect} Rect */
/** @typedef {import("../shared/tab_picture.js").TabPlace} TabPlace */

/** A frame's place is looked up again after this long, ms: the page around it may have scrolled. */
const KNOWN_FOR_MS = 400;

export class FrameFinder {
  /** @param {() => Promise<FramePlace|null>} ask */
  constructor(ask) {
    this.ask = ask;
    /** @type {FramePlace|null} */
    this.place = null;
    this.knownAt = -Infinity;
  }

  /**
   * @param {TabPlace} place in the frame's own window
   * @returns {Promise<TabPlace|null>} in the tab's; null where the frame is not in view
   */
  async locate(place) {
    const now = performance.now();
    if (now - this.knownAt > KNOWN_FOR_MS) {
      this.knownAt = now;
      this.place = await this.ask();
    }
    return this.place && moved(place, this.place);
  }
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
