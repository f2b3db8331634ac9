// What of a large video is sent: once its faces are known, these as they are in the video, and all of
// it in small now and then; otherwise all of it, as large as is of use.

import { LONGEST_SIDE } from "../shared/limits.js";
import { cutOutOf, holds, merged, pixelsOf, serves, stacked } from "./cut_outs.js";

/** @typedef {import("../protocol/messages.js").Rect} Rect */
/** @typedef {import("../protocol/messages.js").VerdictMessage} VerdictMessage */
/** @typedef {import("./cut_outs.js").CutOut} CutOut */
/** @typedef {import("./cut_outs.js").Size} Size */
/** @typedef {Size & {rect?: Rect}} Shown a picture's size and what it shows, for its header */
/**
 * @typedef {object} Followed a face, in fractions of the video
 * @property {VerdictMessage["faces"][0]["box"]} box
 * @property {[number, number]} speed per second
 * @property {number} time seconds of media time
 */

/** The whole beside cut-outs: this often, seconds of media time, and its longer side, pixels. */
const WHOLE_EVERY_S = 1;
const WHOLE_SIDE = 640;
/** Of the pictures, as many as hold it. */
const WHOLE_SHARE = 0.1;
/** Of that many faces; with more of them the whole is the better bargain. */
const MOST_CUT_OUTS = 6;
/** Smaller ones (pixels of the video) are not judged, cut out or not. */
const LEAST_FACE = 56;
/** Below this many pixels in the whole a face shows more where it is cut out. */
const LITTLE_FACE = 96;
/** Cut-outs pay with this share of the whole's pixels; and once they do, with a little more. */
const PAYS = 0.6;
const STILL_PAYS = 0.7;
/** Faces of a picture that is older, seconds of media time, are no longer where they were. */
const STALE_S = 0.7;
/** Slower than this, milliseconds, and than this many times a whole, cutting out costs the page too much. */
const SLOW_TAKE_MS = 40;
const SLOWER = 1.5;
const TAKES = 9;
const TRY_AGAIN_MS = 30_000;

export class Fovea {
  constructor() {
    /** How many parts of a video the server takes in one picture; 0: it knows of no parts. */
    this.parts = 0;
    /** Whether faces are cut out now. */
    this.active = false;
    /** Until when nothing is cut out, since it took too long, milliseconds. */
    this.slowUntil = -Infinity;
    /** @type {{cut: number[], whole: number[]}} milliseconds that the last pictures took to take */
    this.takes = { cut: [], whole: [] };
    /** @type {Size} */
    this.video = { width: 0, height: 0 };
    /** @type {Map<number, Followed>} by track */
    this.faces = new Map();
    /** Of the picture that they were seen in, seconds of media time. */
    this.seenTime = -Infinity;
    /** @type {Map<number, CutOut>} by track */
    this.cutOuts = new Map();
    this.wholeTime = -Infinity;
    this.wholeWanted = false;
  }

  /** Another position, another source or another socket. */
  forget() {
    this.faces = new Map();
    this.seenTime = -Infinity;
    this.cutOuts = new Map();
    this.wholeTime = -Infinity;
    this.wholeWanted = false;
  }

  /** @param {VerdictMessage} message */
  saw({ faces, media_time: time }) {
    if (this.parts === 0) return;
    const before = this.faces;
    this.faces = new Map(faces.map(({ track, box }) => [track, followed(before.get(track), box, time)]));
    this.seenTime = time;
    // A face that went or came, or that stands at the edge: only the whole tells what else there is.
    const known = [...this.faces.keys()];
    if (before.size !== known.length || known.some((track) => !before.has(track))) this.wholeWanted = true;
    for (const [track, cutOut] of this.cutOuts) {
      const face = this.faces.get(track);
      if (face && !holds(cutOut, this.spot(face, time), 1, this.video)) this.wholeWanted = true;
    }
  }

  /** How long the last picture took to take, and when that was. @param {number} took @param {number} now milliseconds */
  took(took, now) {
    const { cut, whole } = this.takes;
    const taken = this.active ? cut : whole;
    taken.push(took);
    if (taken.length > TAKES) taken.shift();
    if (cut.length < TAKES) return;
    const usual = whole.length > 0 ? median(whole) : 0;
    if (median(cut) <= Math.max(SLOW_TAKE_MS, SLOWER * usual)) return;
    this.slowUntil = now + TRY_AGAIN_MS;
    this.takes.cut = [];
  }

  /**
   * @param {Size} video
   * @param {number} time seconds of media time, of the picture that is about to be taken
   * @param {number} now milliseconds
   * @returns {Shown}
   */
  plan(video, time, now) {
    const { width, height } = video;
    const scale = Math.min(1, LONGEST_SIDE / Math.max(width, height));
    const size = { width: sideOf(width * scale), height: sideOf(height * scale) };
    this.active = false;
    if (this.parts < 2 || scale === 1) return size;
    if (width !== this.video.width || height !== this.video.height) {
      this.video = { width, height };
      this.forget();
    }
    const cutOuts = this.cutOutsAt(time, now, size.width * size.height);
    /** @type {Rect["video"]} */
    const sides = [width, height];
    if (cutOuts.length === 0) {
      this.sawWhole(time);
      return { ...size, rect: { video: sides, parts: [{ of: [0, 0, width, height] }] } };
    }
    this.active = true;
    if (this.wholeWanted || time - this.wholeTime >= WHOLE_EVERY_S) {
      this.sawWhole(time);
      cutOuts.push(this.small);
    }
    const { parts, ...picture } = stacked(cutOuts);
    return { ...picture, rect: { video: sides, parts } };
  }

  /** @param {number} time seconds of media time */
  sawWhole(time) {
    this.wholeTime = time;
    this.wholeWanted = false;
  }

  /** All of the video. @returns {CutOut} */
  get small() {
    const { width, height } = this.video;
    return { x: 0, y: 0, width, height, scale: Math.min(1, WHOLE_SIDE / Math.max(width, height)), side: 0 };
  }

  /**
   * @param {number} time seconds of media time
   * @param {number} now milliseconds
   * @param {number} whole pixels that are sent of the whole without cut-outs
   * @returns {CutOut[]} none where they are of no use or do not pay
   */
  cutOutsAt(time, now, whole) {
    const wasActive = this.cutOuts.size > 0;
    const last = this.cutOuts;
    this.cutOuts = new Map();
    if (time - this.seenTime > STALE_S || now < this.slowUntil) return [];
    let little = false;
    for (const [track, face] of this.faces) {
      const spot = this.spot(face, time);
      if (spot.side < LEAST_FACE) continue;
      const kept = last.get(track);
      const speed = Math.hypot(face.speed[0] * this.video.width, face.speed[1] * this.video.height);
      const cutOut = kept && serves(kept, spot, this.video) ? kept : cutOutOf(spot, speed, this.video);
      this.cutOuts.set(track, cutOut);
      little ||= (spot.side * LONGEST_SIDE) / Math.max(this.video.width, this.video.height) < LITTLE_FACE;
    }
    const found = merged([...this.cutOuts.values()]);
    const cost = found.reduce((sum, one) => sum + pixelsOf(one), WHOLE_SHARE * pixelsOf(this.small));
    const most = whole * (little ? 1 : wasActive ? STILL_PAYS : PAYS);
    if (found.length > 0 && found.length <= Math.min(MOST_CUT_OUTS, this.parts - 1) && cost <= most) return found;
    this.cutOuts = new Map();
    return [];
  }

  /** Where a face is by now. @param {Followed} face @param {number} time seconds of media time */
  spot({ box: [left, top, across, down], speed, time: seen }, time) {
    const { width, height } = this.video;
    const ahead = Math.min(Math.max(time - seen, 0), 0.5);
    return {
      x: (left + across / 2 + speed[0] * ahead) * width,
      y: (top + down / 2 + speed[1] * ahead) * height,
      side: Math.max(across * width, down * height),
    };
  }
}

/**
 * @param {Followed|undefined} before
 * @param {Followed["box"]} box
 * @param {number} time seconds of media time
 * @returns {Followed}
 */
function followed(before, box, time) {
  const step = before ? time - before.time : 0;
  if (!before || !(step > 0 && step < 1)) return { box, speed: before?.speed ?? [0, 0], time };
  const middle = (/** @type {Followed["box"]} */ [left, top, width, height]) => [left + width / 2, top + height / 2];
  const [from, to] = [middle(before.box), middle(box)];
  const speed = [0, 1].map((way) => (before.speed[way] + (to[way] - from[way]) / step) / 2);
  return { box, speed: [speed[0], speed[1]], time };
}

/** @param {number} side pixels */
function sideOf(side) {
  return Math.max(1, Math.round(side));
}

/** @param {number[]} values at least one */
function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}
