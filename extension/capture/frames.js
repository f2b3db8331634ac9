// Takes frames of one video as the browser presents them: those that are due, as bitmaps.

/** @typedef {import("../protocol/messages.js").FrameHeader} FrameHeader */

export const LONGEST_SIDE = 960;
const MOST_IN_FLIGHT = 3;
// A frame without an answer for this long was dropped by the server or lost with its socket.
const FORGET_MS = 1500;
// Asking this long before a frame is due meets it, and not the one before, at 30 per second.
const EARLY_MS = 20;

/**
 * @typedef {object} FrameEvents
 * @property {(header: FrameHeader, bitmap: ImageBitmap) => void} onFrame takes the bitmap over
 * @property {() => void} onJump media time went back without a seek event
 * @property {(finding: "unreadable"|"protected") => void} onFinding
 */

export class FrameTaker {
  /** @param {HTMLVideoElement} video @param {FrameEvents} events */
  constructor(video, events) {
    this.video = video;
    this.events = events;
    this.sampleHz = 10;
    this.mostPerSecond = 30;
    this.sending = false;
    this.running = false;
    /** @type {number|null} */
    this.handle = null;
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.timer = undefined;
    this.frameId = 0;
    this.nextDue = -Infinity;
    this.lastMedia = -Infinity;
    this.lastWall = -Infinity;
    this.taking = false;
    /** @type {Map<number, number>} frame id to the time it was sent, milliseconds */
    this.inFlight = new Map();
  }

  start() {
    if (this.running) return;
    this.running = true;
    this.next();
  }

  next() {
    this.handle = this.video.requestVideoFrameCallback((now, frame) => {
      this.handle = null;
      this.presented(now, frame);
      // Every callback costs the page a turn of its main thread: skip those that are not due.
      const rate = Math.abs(this.video.playbackRate) || 1;
      const wait = (1000 * (this.nextDue - frame.mediaTime)) / rate - EARLY_MS;
      if (wait > 15 && wait < 1000) this.timer = setTimeout(() => this.running && this.next(), wait);
      else if (this.running) this.next();
    });
  }

  stop() {
    this.running = false;
    clearTimeout(this.timer);
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
    if (!this.sending || this.taking || !this.isDue(frame.mediaTime, now)) return;
    for (const [id, sent] of this.inFlight) if (now - sent > FORGET_MS) this.inFlight.delete(id);
    if (this.inFlight.size >= MOST_IN_FLIGHT) return;
    this.nextDue = Math.max(this.nextDue + 1 / this.sampleHz, frame.mediaTime + 0.5 / this.sampleHz);
    this.lastWall = now;
    if (this.video.mediaKeys) {
      this.events.onFinding("protected");
      return;
    }
    this.taking = true;
    void this.take(now, frame.mediaTime).finally(() => (this.taking = false));
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

  /** @param {number} now @param {number} mediaTime */
  async take(now, mediaTime) {
    const { videoWidth, videoHeight } = this.video;
    const scale = Math.min(1, LONGEST_SIDE / Math.max(videoWidth, videoHeight));
    const width = Math.max(1, Math.round(videoWidth * scale));
    const height = Math.max(1, Math.round(videoHeight * scale));
    let bitmap;
    try {
      bitmap = await createImageBitmap(this.video, { resizeWidth: width, resizeHeight: height });
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      if (error.name === "SecurityError") this.events.onFinding("unreadable");
      return;
    }
    if (!this.sending || !this.running) {
      bitmap.close();
      return;
    }
    const frameId = ++this.frameId;
    this.inFlight.set(frameId, now);
    const captured = performance.timeOrigin + now;
    this.events.onFrame(
      { frame_id: frameId, media_time: mediaTime, captured_at: captured, width, height },
      bitmap,
    );
  }
}
