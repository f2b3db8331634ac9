// Takes frames of one video as the browser presents them: those that are due.

import { SAMPLE_HZ } from "../protocol/messages.js";
import { Fovea } from "./fovea.js";
import { timeInVideo } from "./media_time.js";
import { picturesOf } from "./pictures.js";
import { canTakePlanes } from "./planes.js";
import { Rhythm } from "./rhythm.js";
import { Stillness } from "./stillness.js";
import { speedOf, timeNow, timeOfCallback, timeOfPicture } from "../shared/clock.js";

/** @typedef {import("../protocol/messages.js").FrameHeader} FrameHeader */
/** @typedef {import("./planes.js").Picture} Picture */
/** @typedef {import("../shared/tab_picture.js").TabPlace} TabPlace */
/**
 * How pictures are had: as the element gives them; pixel by pixel, as Firefox lets extensions read
 * another site's video; or out of the picture of the tab
 * @typedef {"element"|"pixels"|"tab"} Way
 */

/** Pictures per second of real time, until the server says how many it takes. */
export const MOST_PER_SECOND = 30;
const MOST_IN_FLIGHT = 3;
/** A frame without an answer for this long was dropped by the server or lost with its socket. */
const FORGET_MS = 1500;
/** Asking this long before a frame is due meets it, and not the one before, at 30 per second. */
const EARLY_MS = 20;
/** A shorter wait than this is not worth a timer. */
const SHORTEST_WAIT_MS = 15;
/** Looking this long after a frame is due finds it on the screen. */
const LATE_MS = 4;
/** A frame that is not there yet is looked for again after this long, doubled each time. */
const AGAIN_MS = 12;
const AGAIN_LONGEST_MS = 100;
/** A longer wait is not waited out: the video may jump meanwhile. */
const LONGEST_WAIT_MS = 1000;

/**
 * @typedef {object} FrameEvents
 * @property {(header: FrameHeader, pictures: Picture[]) => void} onFrame takes the pictures over, one for
 *     each part that the header names
 * @property {(header: FrameHeader, place: TabPlace) => void} onPlace a frame is to be cut out of the
 *     tab's picture
 * @property {() => {place: TabPlace, size: {width: number, height: number}}|null} findPlace null where it
 *     cannot be seen
 * @property {() => void} onJump media time went back without a seek event
 * @property {(finding: "unreadable"|"protected") => void} onFinding
 * @property {(still: boolean) => void} onStill a stream gives no new picture, or does again
 */

export class FrameTaker {
  /** @param {HTMLVideoElement} video @param {FrameEvents} events */
  constructor(video, events) {
    this.video = video;
    this.events = events;
    this.rhythm = new Rhythm(SAMPLE_HZ);
    this.fovea = new Fovea();
    this.mostPerSecond = MOST_PER_SECOND;
    /** @type {Way} */
    this.way = "element";
    this.sending = false;
    this.running = false;
    /** @type {number|null} */
    this.handle = null;
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.timer = undefined;
    /** Counts the starts: a call that began before the last one does not go on. */
    this.round = 0;
    this.frameId = 0;
    this.lastMedia = -Infinity;
    this.lastWall = -Infinity;
    this.taking = false;
    this.misses = 0;
    /** Media time of the picture that a seek leaves on the screen until the new one is there. */
    this.left = NaN;
    this.stillness = new Stillness(events.onStill);
    /** Of the last picture of a stream that was looked for, as the browser numbers them. */
    this.stamp = NaN;
    /** @type {Map<number, number>} frame id to the time it was sent, milliseconds */
    this.inFlight = new Map();
  }

  start() {
    if (this.running) return;
    this.running = true;
    this.round++;
    if (this.video.srcObject) this.stillness.begin();
    this.next();
  }

  /**
   * A frame that is asked for by callback costs the page a turn of its main thread with style,
   * layout and painting. One that can be taken with its own time costs next to nothing, so it is
   * looked for when it is due. A stream's time is not the element's: it is asked for, unless its tab is
   * hidden, where browsers call nobody back.
   */
  next() {
    const asks = this.video.srcObject && globalThis.document?.visibilityState !== "hidden";
    if (this.way === "element" && canTakePlanes() && !asks) this.look();
    else this.ask();
  }

  ask() {
    const { round, video } = this;
    this.handle = video.requestVideoFrameCallback((called, frame) => {
      this.handle = null;
      const now = timeOfCallback(video, called);
      const mediaTime = timeOfPicture(video, timeInVideo(frame.mediaTime, video));
      if (video.srcObject) this.stillness.came();
      if (this.presented(now, mediaTime)) {
        this.taking = true;
        void this.take(null, now, mediaTime).finally(() => (this.taking = false));
      }
      if (round !== this.round) return;
      const wait = this.untilDue(mediaTime) - EARLY_MS;
      if (wait > SHORTEST_WAIT_MS && wait < LONGEST_WAIT_MS) this.nextAfter(wait);
      else if (this.running) this.next();
    });
  }

  look() {
    const { round } = this;
    const found = this.lookNow();
    if (round !== this.round) return;
    this.misses = found ? 0 : this.misses + 1;
    const again = Math.min(AGAIN_LONGEST_MS, AGAIN_MS * 2 ** Math.min(this.misses, 5));
    const wait = this.untilDue(timeNow(this.video)) + LATE_MS;
    this.nextAfter(wait > AGAIN_MS && wait < LONGEST_WAIT_MS ? wait : again);
  }

  /** @param {number} wait milliseconds */
  nextAfter(wait) {
    this.timer = setTimeout(() => this.running && this.next(), wait);
  }

  /** @returns {boolean} whether a frame was taken */
  lookNow() {
    const { video } = this;
    if (!this.sending || this.taking || video.seeking || video.readyState < 2) return false;
    if (video.mediaKeys) {
      this.events.onFinding("protected");
      return false;
    }
    const frame = this.current();
    if (!frame) return false;
    const now = performance.now();
    const mediaTime = timeOfPicture(video, frame.timestamp / 1e6);
    const seen = Boolean(video.srcObject) && frame.timestamp === this.stamp;
    this.stamp = frame.timestamp;
    if (video.srcObject && !seen) this.stillness.came();
    if (seen || mediaTime === this.left || !this.presented(now, mediaTime)) {
      frame.close();
      return false;
    }
    this.left = NaN;
    this.taking = true;
    void this.take(frame, now, mediaTime).finally(() => {
      this.taking = false;
      frame.close();
    });
    return true;
  }

  /** @returns {VideoFrame|null} the frame on the screen; null when there is none to be had */
  current() {
    try {
      return new VideoFrame(this.video);
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      if (error.name === "SecurityError") this.events.onFinding("unreadable");
      return null;
    }
  }

  /** @param {HTMLVideoElement} video another element that shows the same */
  moveTo(video) {
    this.stop();
    this.video = video;
  }

  stop() {
    this.running = false;
    this.stillness.end();
    clearTimeout(this.timer);
    if (this.handle !== null) this.video.cancelVideoFrameCallback(this.handle);
    this.handle = null;
    this.restart();
  }

  /** Forget the past: another position, another source or another socket. */
  restart() {
    this.rhythm.reset();
    this.fovea.forget();
    this.lastMedia = -Infinity;
    this.inFlight.clear();
    this.left = NaN;
    if (!this.video.seeking || this.way !== "element" || !canTakePlanes()) return;
    try {
      const frame = new VideoFrame(this.video);
      this.left = frame.timestamp / 1e6;
      frame.close();
    } catch (error) {
      if (!(error instanceof DOMException)) throw error; // no picture is left on the screen
    }
  }

  /** @param {number} frameId the newest frame that the server has answered */
  answered(frameId) {
    for (const id of this.inFlight.keys()) if (id <= frameId) this.inFlight.delete(id);
  }

  /** @param {number} frameId of a frame that was not to be had after all */
  missed(frameId) {
    this.answered(frameId);
    this.fovea.wholeWanted = true; // that frame may have been to show it
  }

  /**
   * @param {number} now milliseconds
   * @param {number} mediaTime seconds, of the frame on the screen
   * @returns {boolean} whether it is to be taken
   */
  presented(now, mediaTime) {
    if (mediaTime < this.lastMedia - 0.001) {
      this.restart();
      this.events.onJump();
    }
    this.lastMedia = mediaTime;
    if (!this.sending || this.taking || !this.isDue(mediaTime, now)) return false;
    for (const [id, sent] of this.inFlight) if (now - sent > FORGET_MS) this.inFlight.delete(id);
    if (this.inFlight.size >= MOST_IN_FLIGHT) return false;
    this.rhythm.take(mediaTime);
    this.lastWall = now;
    if (this.video.mediaKeys) {
      this.events.onFinding("protected");
      return false;
    }
    return true;
  }

  /**
   * Due by media time, so that playback speed does not change what the model sees, and within what
   * the server takes per second of real time.
   * @param {number} mediaTime seconds
   * @param {number} now milliseconds
   */
  isDue(mediaTime, now) {
    if (now - this.lastWall < this.shortestWait) return false;
    return this.rhythm.isDue(mediaTime);
  }

  /** Milliseconds between two pictures; a little less, since pictures do not come on the dot. */
  get shortestWait() {
    return 900 / this.mostPerSecond;
  }

  /** @param {number} mediaTime @returns {number} milliseconds of real time */
  untilDue(mediaTime) {
    const rate = Math.abs(speedOf(this.video)) || 1;
    const byVideo = (1000 * (this.rhythm.next - mediaTime)) / rate;
    return Math.max(byVideo, this.lastWall + this.shortestWait - performance.now());
  }

  /**
   * @param {VideoFrame|null} frame null to take what the element shows
   * @param {number} now
   * @param {number} mediaTime
   */
  async take(frame, now, mediaTime) {
    if (this.way === "tab") {
      const found = this.events.findPlace();
      if (!found) return;
      const shown = this.fovea.plan(found.size, mediaTime, now);
      this.events.onPlace(this.header(shown, now, mediaTime), found.place);
      return;
    }
    const { videoWidth, videoHeight } = this.video;
    const shown = this.fovea.plan({ width: videoWidth, height: videoHeight }, mediaTime, now);
    /** @type {Picture[]} */
    let pictures = [];
    try {
      const began = performance.now();
      pictures = await picturesOf(this.video, frame, this.way, shown);
      this.fovea.took(performance.now() - began, now);
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      if (error.name === "SecurityError") this.events.onFinding("unreadable");
      return;
    }
    if (!this.sending || !this.running) {
      for (const picture of pictures) if (picture instanceof ImageBitmap) picture.close();
      return;
    }
    this.events.onFrame(this.header(shown, now, mediaTime), pictures);
  }

  /**
   * @param {import("./fovea.js").Shown} shown
   * @param {number} now
   * @param {number} mediaTime
   * @returns {FrameHeader} of a frame that is now on its way
   */
  header(shown, now, mediaTime) {
    const frameId = ++this.frameId;
    this.inFlight.set(frameId, now);
    const captured = performance.timeOrigin + now;
    return { frame_id: frameId, media_time: mediaTime, captured_at: captured, ...shown };
  }
}
