// Bitmaps of a video as a track that can be sent, with the same checks that single pictures get.

import { BlackWatch, canvasIsFaithful } from "../../capture/integrity.js";

/** @typedef {import("../../shared/states.js").Fault} Fault */

/** Further than this from real time the frames' clock is set anew, microseconds. */
const MOST_AHEAD = 150_000;
const LEAST_STEP = 16_000;

/**
 * Frame times that go with the video's own clock, for an even rhythm, and never far from real time
 * nor back, as encoders want them.
 */
export class TrackClock {
  constructor() {
    this.base = NaN;
    this.last = -Infinity;
  }

  /** @param {number} mediaTime seconds @param {number} now milliseconds @returns {number} microseconds */
  time(mediaTime, now) {
    const media = mediaTime * 1e6;
    let time = Math.round(this.base + media);
    if (!(Math.abs(time - now * 1000) <= MOST_AHEAD) || time < this.last + LEAST_STEP) {
      time = Math.max(Math.round(now * 1000), this.last + LEAST_STEP);
      this.base = time - media;
    }
    this.last = time;
    return time;
  }
}

export class BitmapTrack {
  constructor() {
    const Generator = /** @type {any} */ (globalThis).MediaStreamTrackGenerator;
    /** @type {MediaStreamTrack & {writable: WritableStream}} */
    this.track = new Generator({ kind: "video" });
    this.writer = this.track.writable.getWriter();
    this.black = new BlackWatch();
    void canvasIsFaithful(); // takes a moment the first time
  }

  /**
   * @param {ImageBitmap} bitmap is closed afterwards
   * @param {() => number|null} time of the frame, microseconds; null to leave it out
   * @returns {Promise<Fault|"picture"|null>} what the picture turned out to be, null for one left out
   */
  async send(bitmap, time) {
    try {
      if (!(await canvasIsFaithful())) return "altered";
      const look = this.black.look(bitmap, performance.now() / 1000);
      if (look !== "picture") return look === "still_black" ? "black" : null;
      const timestamp = (this.writer.desiredSize ?? 0) > 0 ? time() : null; // else the encoder is behind
      if (timestamp === null) return null;
      await this.writer.write(new VideoFrame(bitmap, { timestamp }));
      return "picture";
    } catch (error) {
      if (error instanceof DOMException && error.name === "SecurityError") return "unreadable";
      return null; // the track was closed meanwhile
    } finally {
      bitmap.close();
    }
  }

  close() {
    this.track.stop();
    this.writer.close().catch(() => {}); // already gone with the track
  }
}
