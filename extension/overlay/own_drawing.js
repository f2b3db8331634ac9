// What Fakelight itself draws in a document, and drew a moment ago: where a picture of the tab is
// judged, all of that is left out of it. A picture shows what stood on the screen some time before it
// comes, so what has just gone counts as well.

/** @typedef {import("./layout.js").Rect} Rect */

/** What went longer ago than this (ms) is on no picture that is still to come. */
const KEEP_MS = 3000;
/** From the page to the screen and into the tab's picture, milliseconds. */
const ON_THE_WAY_MS = 300;

/** @type {Set<OwnDrawing>} */
const all = new Set();

export class OwnDrawing {
  /** @param {() => Rect[]} rectsNow in the page, CSS pixels; not called but for pictures of the tab */
  constructor(rectsNow) {
    this.rectsNow = rectsNow;
    /** Whether the picture of the tab is judged for the video under this drawing. */
    this.filmed = false;
    /** @type {Rect[]} */
    this.last = [];
    /** @type {{until: number, rects: Rect[]}[]} */
    this.past = [];
    all.add(this);
  }

  /** It is drawn differently from now on. */
  changed(now = performance.now()) {
    if (!isFilmed()) return;
    this.past = this.past.filter(({ until }) => now - until < KEEP_MS);
    this.past.push({ until: now, rects: this.last });
    this.last = this.rectsNow();
  }

  /** @param {number} from milliseconds @returns {Rect[]} */
  since(from) {
    const past = this.past.filter(({ until }) => until >= from).flatMap(({ rects }) => rects);
    return [...this.rectsNow(), ...this.last, ...past];
  }

  /** What stood there is on pictures that are on their way: it is forgotten later. */
  end() {
    this.changed();
    this.rectsNow = () => [];
    setTimeout(() => all.delete(this), KEEP_MS);
  }
}

function isFilmed() {
  return [...all].some(({ filmed }) => filmed);
}

/**
 * @param {number} asked when a picture of the tab was asked for, milliseconds
 * @returns {Rect[]} in the page, CSS pixels: all that may be on it, some of it more than once
 */
export function drawnSince(asked) {
  return [...all].flatMap((one) => one.since(asked - ON_THE_WAY_MS));
}
