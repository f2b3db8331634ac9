// Players in frames that nobody lets the extension into: of those the tab's picture is all there is.

import { Fresh } from "../shared/fresh.js";
import { isSeen } from "../shared/tab_picture.js";

/** @typedef {import("../overlay/layout.js").Rect} Rect */
/** @typedef {import("../shared/tab_picture.js").TabPicture} TabPicture */

/** Between two looks for such frames, ms: every frame of the tab is asked for that. */
const LOOK_EVERY_MS = 3000;
/** Between two looks at whether one that is judged is where it was, ms. */
const CHECK_EVERY_MS = 150;
/** Nearer than this, in fractions of the frame around it, is the same place. */
const SAME = 0.002;
/** Farther than this it is another player. */
const LIKE = 0.02;
/** Between two looks at the clock of a player, ms. */
const FRAME_MS = 40;

/** A frame, with what a session asks of a video. What plays in it, and whether, cannot be known. */
export class FramedPlayer extends EventTarget {
  /**
   * @param {Element} element the frame, or the one around it
   * @param {Rect} part of the element that is the player, in fractions of it
   * @param {() => Promise<FramedPlayer[]|null>} look finds all players anew, and their parts
   */
  constructor(element, part, look) {
    super();
    this.element = element;
    this.part = part;
    this.look = look;
    this.paused = false;
    this.ended = false;
    this.seeking = false;
    this.readyState = 4;
    this.playbackRate = 1;
    this.duration = Infinity;
    /** @type {MediaKeys|null} */
    this.mediaKeys = null;
    /** @type {MediaStream|null} */
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

  /**
   * The frame around it may have scrolled, which nothing here tells.
   * @returns {Promise<boolean>} whether it is the same part of its element as before
   */
  async stayed() {
    const before = this.part;
    const found = await this.look();
    return found !== null && found.includes(this) && isLike(before, this.part, SAME);
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
    this.fresh = new Fresh(() => this.look(), CHECK_EVERY_MS);
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
      void this.fresh.next();
    }
    this.found = this.found.filter(({ isConnected }) => isConnected);
    return this.found;
  }

  /** @returns {Promise<FramedPlayer[]>} */
  async look() {
    /** @type {Rect[]} */
    const places = (await chrome.runtime.sendMessage({ type: "closed-frames" })) ?? [];
    const frames = [...document.querySelectorAll("iframe, frame, object")];
    const there = places.flatMap((place) => within(place, frames) ?? []);
    this.found = there.map(({ element, part }) => {
      const known = this.found.find((one) => one.element === element && isLike(one.part, part, LIKE));
      return known ? Object.assign(known, { part }) : new FramedPlayer(element, part, () => this.fresh.next());
    });
    return this.found;
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

/** @param {Rect} a @param {Rect} b @param {number} far */
function isLike(a, b, far) {
  return [a.x - b.x, a.y - b.y, a.width - b.width, a.height - b.height].every((off) => Math.abs(off) < far);
}
