// Takes frames of one video as the browser presents them and turns the ones that are due into JPEG.

import { BlackWatch } from "./integrity.js";

/** @typedef {import("../protocol/messages.js").FrameHeader} FrameHeader */
/** @typedef {"unreadable"|"protected"|"black"|"picture"} Finding */

export const LONGEST_SIDE = 960;
export const JPEG_QUALITY = 0.8;
const MOST_IN_FLIGHT = 3;
// A frame without an answer for this long was dropped by the server or lost with its socket.
const FORGET_MS = 1500;

/**
 * @typedef {object} FrameEvents
 * @property {(header: FrameHeader, picture: ArrayBuffer) => void} onFrame
 * @property {(mediaTime: number) => void} onPresented for every frame the person sees
 * @property {() => void} onJump media time went back without a seek event
 * @property {(finding: Finding) => void} onFinding
 */

export class FrameTaker {
  /** @param {HTMLVideoElement} video @param {FrameEvents} events */
  constructor(video, events) {
    this.video = video;
    this.events = events;
    this.sampleHz = 10;
    this.mostPerSecond = 30;
    this.sending = false;
    /** @type {number|null} */
    this.handle = null;
    this.frameId = 0;
    this.nextDue = -Infinity;
    this.lastMedia = -Infinity;
    this.lastWall = -Infinity;
    this.encoding = false;
    /** @type {Map<number, number>} frame id to the time it was sent, milliseconds */
    this.inFlight = new Map();
    this.canvas = new OffscreenCanvas(1, 1);
    this.context = this.canvas.getContext("2d", { alpha: false });
    this.black = new BlackWatch();
  }

  /** Another source: fresh canvases, for one that has seen a foreign picture stays unreadable. */
  renew() {
    this.canvas = new OffscreenCanvas(1, 1);
    this.context = this.canvas.getContext("2d", { alpha: false });
    this.black = new BlackWatch();
    this.restart();
  }

  start() {
    if (this.handle !== null) return;
    const next = () => {
      this.handle = this.video.requestVideoFrameCallback((now, frame) => {
        next();
        this.presented(now, frame);
      });
    };
    next();
  }

  stop() {
    if (this.handle !== null) this.video.cancelVideoFrameCallback(this.handle);
    this.handle = null;
    this.restart();
  }

  /** Forget the past: another position, another source or another socket. */
  restart() {
    this.nextDue = -Infinity;
    this.lastMedia = -Infinity;
    this.inFlight.clear();
  }

  /** @param {number} frameId the newest frame that the server has answered */
  answered(frameId) {
    for (const id of this.inFlight.keys()) if (id <= frameId) this.inFlight.delete(id);
  }

  /** @param {number} now @param {VideoFrameCallbackMetadata} frame */
  presented(now, frame) {
    if (frame.mediaTime < this.lastMedia - 0.001) {
      this.restart();
      this.events.onJump();
    }
    this.lastMedia = frame.mediaTime;
    this.events.onPresented(frame.mediaTime);
    if (!this.sending || this.encoding || !this.isDue(frame.mediaTime, now)) return;
    for (const [id, sent] of this.inFlight) if (now - sent > FORGET_MS) this.inFlight.delete(id);
    if (this.inFlight.size >= MOST_IN_FLIGHT) return;
    this.nextDue = Math.max(this.nextDue + 1 / this.sampleHz, frame.mediaTime + 0.5 / this.sampleHz);
    this.lastWall = now;
    this.encoding = true;
    void this.take(now, frame).finally(() => (this.encoding = false));
  }

  /**
   * Due by media time, so that playback speed does not change what the model sees, and within what
   * the server takes per second of real time.
   * @param {number} mediaTime seconds
   * @param {number} now milliseconds
   */
  isDue(mediaTime, now) {
    if (now - this.lastWall < 900 / this.mostPerSecond) return false;
    return mediaTime + 0.004 >= this.nextDue;
  }

  /** @param {number} now @param {VideoFrameCallbackMetadata} frame */
  async take(now, frame) {
    const { video, canvas, context } = this;
    if (!context) return;
    if (video.mediaKeys) {
      this.events.onFinding("protected");
      return;
    }
    const scale = Math.min(1, LONGEST_SIDE / Math.max(frame.width, frame.height));
    const width = Math.max(1, Math.round(frame.width * scale));
    const height = Math.max(1, Math.round(frame.height * scale));
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    let picture;
    try {
      context.drawImage(video, 0, 0, width, height);
      const look = this.black.look(canvas, now / 1000);
      if (look !== "picture") {
        if (look === "still_black") this.events.onFinding("black");
        return;
      }
      const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: JPEG_QUALITY });
      picture = await blob.arrayBuffer();
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      // A video from another site without its consent: the browser keeps its pixels to itself.
      this.events.onFinding("unreadable");
      return;
    }
    if (!this.sending) return;
    this.events.onFinding("picture");
    const frameId = ++this.frameId;
    this.inFlight.set(frameId, now);
    this.events.onFrame(
      {
        frame_id: frameId,
        media_time: frame.mediaTime,
        captured_at: performance.timeOrigin + now,
        width,
        height,
      },
      picture,
    );
  }
}
