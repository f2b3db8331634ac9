// A tab's picture as the browser shows it, as a stream. Only its picture: with the sound left out
// the browser goes on playing that to the person.

/** A picture that is asked for and does not come within this long (ms) is given up. */
const PATIENCE_MS = 1000;

/**
 * @typedef {object} Shot
 * @property {VideoFrame|ImageBitmap} shot the receiver closes it
 * @property {{width: number, height: number}} size pixels
 * @property {number} at milliseconds since the epoch, when it came
 */

export class TabStream {
  /** @param {MediaStreamTrack} track @param {() => void} onEnd the browser or the person has ended it */
  constructor(track, onEnd) {
    this.track = track;
    this.closed = false;
    /** @type {{from: number, give: (shot: Shot|null) => void, timer: ReturnType<typeof setTimeout>}[]} */
    this.waiting = [];
    track.addEventListener("ended", () => {
      if (this.closed) return;
      this.close();
      onEnd();
    });
    const Processor = /** @type {any} */ (globalThis).MediaStreamTrackProcessor;
    /** @type {ReadableStreamDefaultReader<VideoFrame>} */
    this.reader = new Processor({ track, maxBufferSize: 1 }).readable.getReader();
    void this.read();
  }

  /**
   * @param {string} id as tabCapture.getMediaStreamId gives it
   * @param {{width: number, height: number}} size pixels of the window
   * @param {() => void} onEnd
   * @returns {Promise<TabStream>}
   * @throws {DOMException} where the browser does not give it
   */
  static async open(id, { width, height }, onEnd) {
    const mandatory = {
      chromeMediaSource: "tab",
      chromeMediaSourceId: id,
      maxWidth: width,
      maxHeight: height,
      maxFrameRate: 30,
    };
    const wanted = /** @type {MediaStreamConstraints} */ (/** @type {unknown} */ ({ audio: false, video: { mandatory } }));
    const stream = await navigator.mediaDevices.getUserMedia(wanted);
    return new TabStream(stream.getVideoTracks()[0], onEnd);
  }

  async read() {
    for (;;) {
      const { done, value: frame } = await this.reader.read();
      if (done) return;
      const at = performance.timeOrigin + performance.now();
      const due = this.waiting.filter(({ from }) => from <= at);
      this.waiting = this.waiting.filter(({ from }) => from > at);
      const size = { width: frame.displayWidth, height: frame.displayHeight };
      for (const { give, timer } of due) {
        clearTimeout(timer);
        give({ shot: frame.clone(), size, at });
      }
      frame.close();
    }
  }

  /**
   * @param {number} from milliseconds since the epoch
   * @returns {Promise<Shot|null>} the first picture that comes from then on
   */
  after(from) {
    if (this.closed) return Promise.resolve(null);
    return new Promise((give) => {
      const timer = setTimeout(() => {
        this.waiting = this.waiting.filter((one) => one.give !== give);
        give(null);
      }, PATIENCE_MS);
      this.waiting.push({ from, give, timer });
    });
  }

  close() {
    this.closed = true;
    for (const { give, timer } of this.waiting) {
      clearTimeout(timer);
      give(null);
    }
    this.waiting = [];
    this.track.stop();
  }
}
