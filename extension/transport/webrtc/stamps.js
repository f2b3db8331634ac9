// Which picture a verdict is about. The server names a frame by its RTP timestamp, which the browser
// makes from the frame's time by adding an offset that it keeps to itself. The offset is found with
// a single frame under way, and followed from then on: a worker on the way out tells the RTP
// timestamp of every encoded frame.

/** @typedef {import("../../protocol/messages.js").FrameHeader} FrameHeader */

const REMEMBERED = 128;
const TICKS_PER_MS = 90;
const CYCLE_MS = 2 ** 32 / TICKS_PER_MS;
/** Frames are at least 16 ms apart, and the browser rounds to 1 ms. */
const TOLERANCE_MS = 6;
const MOST_MISSES = 3;
/** A first frame that was not encoded by then never will be; odd, so as to match no rhythm. */
const LOST_MS = 733;

export class Stamps {
  constructor() {
    /** @type {Map<number, FrameHeader>} by the frame's time, milliseconds */
    this.sent = new Map();
    /** @type {Map<number, FrameHeader>} by RTP timestamp */
    this.encoded = new Map();
    /** @type {number|null} RTP time less frame time, milliseconds */
    this.offset = null;
    this.misses = 0;
  }

  /** Whether a frame may leave now: until the offset is known, one at a time. @param {number} time */
  admits(time) {
    if (this.offset !== null || this.sent.size === 0) return true;
    const [first] = this.sent.keys();
    if (time - first < LOST_MS) return false;
    this.sent.clear();
    return true;
  }

  /** @param {number} time milliseconds @param {FrameHeader} header */
  note(time, header) {
    keep(this.sent, time, header);
  }

  /** A frame was encoded. @param {number} rtp */
  stamped(rtp) {
    const found = this.offset === null ? this.only() : this.nearest(rtp);
    if (found === null) {
      if (this.offset !== null && ++this.misses > MOST_MISSES) {
        this.offset = null;
        this.sent.clear();
      }
      return;
    }
    this.misses = 0;
    this.offset = rtp / TICKS_PER_MS - found.time;
    keep(this.encoded, rtp, found.header);
  }

  only() {
    const [entry, more] = this.sent;
    return entry && !more ? { time: entry[0], header: entry[1] } : null;
  }

  /** @param {number} rtp */
  nearest(rtp) {
    const wanted = rtp / TICKS_PER_MS - (this.offset ?? 0);
    let best = null;
    let least = TOLERANCE_MS;
    for (const [time, header] of this.sent) {
      const away = Math.abs(((((wanted - time) % CYCLE_MS) + 1.5 * CYCLE_MS) % CYCLE_MS) - CYCLE_MS / 2);
      if (away < least) {
        least = away;
        best = { time, header };
      }
    }
    return best;
  }

  /**
   * The verdict under the name that the page gave the frame, null for a frame it does not know.
   * @param {any} verdict as it came, its frame_id an RTP timestamp
   */
  own(verdict) {
    const header = this.encoded.get(verdict.frame_id);
    if (!header) return null;
    const { frame_id, media_time, captured_at } = header;
    return { ...verdict, frame_id, media_time, captured_at };
  }
}

/** Hears the stamps of one sender. */
export class StampWatch {
  /** @param {RTCRtpSender} sender @param {Stamps} stamps */
  constructor(sender, stamps) {
    this.worker = new Worker(new URL("./stamps_worker.js", import.meta.url));
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => stamps.stamped(data);
    const Transform = /** @type {any} */ (globalThis).RTCRtpScriptTransform;
    /** @type {any} */ (sender).transform = new Transform(this.worker, { port: port2 }, [port2]);
  }

  close() {
    this.worker.terminate();
  }
}

/** @param {Map<number, FrameHeader>} map @param {number} key @param {FrameHeader} header */
function keep(map, key, header) {
  map.set(key, header);
  const [oldest] = map.keys();
  if (map.size > REMEMBERED) map.delete(oldest);
}
