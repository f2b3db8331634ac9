// Players in frames that nobody lets the extension into: of those the tab's picture is all there is.

import { isSeen } from "../shared/tab_picture.js";

/** @typedef {import("../overlay/layout.js").Rect} Rect */
/** @typedef {import("../shared/tab_picture.js").TabPicture} TabPicture */

/** Between two looks for such frames, ms: every frame of the tab is asked for that. */
const LOOK_EVERY_MS = 3000;
/** Between two looks at the clock of a player, ms. */
const FRAME_MS = 40;

/** A frame, with what a session asks of a video. What plays in it, and whether, cannot be known. */
export class FramedPlayer extends EventTarget {
  /**
   * @param {Element} element the frame, or the one around it
   * @param {Rect} part of the element that is the player, in fractions of it
   */
  constructor(element, part) {
    super();
    this.element = element;
    this.part = part;
    this.paused = false;
    this.ended = false;
    this.seeking = false;
    this.readyState = 4;
    this.playbackRate = 1;
    this.duration = Infinity;
    this.mediaKeys = null;
    this.srcObject = null;
    this.currentSrc = "";
  }

  get isConnected() {
    return this.element.isConnected;
  }

  get ownerDocument() {
    return this.element.ownerDocument;
  }

  /** Seconds. */
  get currentTime() {
    return performance.now() / 1000;
  }

  get videoWidth() {
    return Math.round(this.placement().picture.width * devicePixelRatio);
  }

  get videoHeight() {
    return Math.round(this.placement().picture.height * devicePixelRatio);
  }

  getBoundingClientRect() {
    const { x, y, width, height } = this.placement().picture;
    return new DOMRect(x, y, width, height);
  }

  placement() {
    const { x, y, width, height } = this.element.getBoundingClientRect();
    const { part } = this;
    const picture = {
      x: x + part.x * width,
      y: y + part.y * height,
      width: part.width * width,
      height: part.height * height,
    };
    return { picture, visible: picture, mirrored: false };
  }

  /** @param {(now: number, frame: {mediaTime: number}) => void} call */
  requestVideoFrameCallback(call) {
    return setTimeout(() => call(performance.now(), { mediaTime: this.currentTime }), FRAME_MS);
  }

  /** @param {ReturnType<typeof setTimeout>} handle */
  cancelVideoFrameCallback(handle) {
    clearTimeout(handle);
  }
}

/** Those of a tab's page, which alone knows where frames within frames are in its window. */
export class ClosedFrames {
  constructor() {
    this.askedAt = -Infinity;
    /** @type {FramedPlayer[]} */
    this.found = [];
  }

  /**
   * @param {TabPicture} picture
   * @returns {FramedPlayer[]} those known now; newer ones come with a later call
   */
  players(picture) {
    if (window !== window.top) return [];
    if (!isSeen(picture) && picture !== "lost") this.found = [];
    const now = performance.now();
    if (isSeen(picture) && now - this.askedAt > LOOK_EVERY_MS) {
      this.askedAt = now;
      this.look().catch(() => {}); // the extension was updated
    }
    this.found = this.found.filter(({ isConnected }) => isConnected);
    return this.found;
  }

  async look() {
    /** @type {Rect[]} */
    const places = (await chrome.runtime.sendMessage({ type: "closed-frames" })) ?? [];
    const frames = [...document.querySelectorAll("iframe, frame, object")];
    const there = places.flatMap((place) => within(place, frames) ?? []);
    this.found = there.map(({ element, part }) => {
      const known = this.found.find((one) => one.element === element && like(one.part, part));
      return known ?? new FramedPlayer(element, part);
    });
  }
}

/**
 * @param {Rect} place in the window
 * @param {Element[]} frames
 * @returns {{element: Element, part: Rect}|null} the smallest frame that holds it, and which part
 */
export function within(place, frames) {
  const x = place.x + place.width / 2;
  const y = place.y + place.height / 2;
  const holding = frames
    .map((element) => ({ element, box: element.getBoundingClientRect() }))
    .filter(({ box }) => box.left <= x && x <= box.right && box.top <= y && y <= box.bottom)
    .sort((a, b) => a.box.width * a.box.height - b.box.width * b.box.height);
  if (holding.length === 0) return null;
  const [{ element, box }] = holding;
  const part = {
    x: (place.x - box.x) / box.width,
    y: (place.y - box.y) / box.height,
    width: place.width / box.width,
    height: place.height / box.height,
  };
  return { element, part };
}

/** @param {Rect} a @param {Rect} b */
function like(a, b) {
  return [a.x - b.x, a.y - b.y, a.width - b.width, a.height - b.height].every((off) => Math.abs(off) < 0.02);
}
