// Notices the stretches in which a face of one video is told as likely fake, and tells of each when it
// begins, as it goes on, and at its end.

/** @typedef {import("../overlay/memory.js").VideoMemory} VideoMemory */
/** @typedef {import("../overlay/memory.js").Clock} Clock */
/** @typedef {import("../protocol/messages.js").Verdict} Verdict */
/** @typedef {import("../shared/flag.js").Flag} Flag */
/** @typedef {{verdict: Verdict, face?: {probability: number|null}}} Shown */

/** So long without such a face (seconds of the video) ends a stretch. */
const LONGEST_GAP_S = 3;
/** A stretch that goes on is told of again after this long, seconds of the video. */
const TELL_EVERY_S = 2;

/** @type {WeakMap<VideoMemory, number>} */
const numbers = new WeakMap();
let count = 0;
/** Made at the first flag: an address without encryption has no `crypto.randomUUID`. */
let ownId = "";

/** @returns {string} */
function newId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {VideoMemory|null} memory */
function numberOf(memory) {
  if (!memory) return 0;
  const known = numbers.get(memory) ?? ++count;
  numbers.set(memory, known);
  return known;
}

export class FlagWatch {
  /** @param {(flag: Flag, begins: boolean) => void} tell */
  constructor(tell) {
    this.tell = tell;
    /** @type {Flag|null} the stretch that goes on */
    this.open = null;
    this.toldTo = 0;
  }

  /**
   * @param {readonly Shown[]} shown the faces of one picture, as they are told
   * @param {number} time seconds, by the memory's clock
   * @param {VideoMemory|null} memory of the video
   * @param {number} duration of the video, seconds
   */
  judged(shown, time, memory, duration) {
    const fakes = shown.filter(({ verdict }) => verdict === "likely_fake");
    const { open } = this;
    if (open && (time < open.from || time - open.to > LONGEST_GAP_S)) this.end();
    if (fakes.length === 0) return;
    const peak = Math.max(-1, ...fakes.map(({ face }) => face?.probability ?? -1));
    if (this.open) {
      this.open.to = Math.max(this.open.to, time);
      this.open.probability = highest(this.open.probability, peak);
      if (this.open.to - this.toldTo >= TELL_EVERY_S) this.say(false);
      return;
    }
    ownId ||= newId();
    this.open = {
      id: newId(),
      document: ownId,
      video: numberOf(memory),
      clock: memory?.clock ?? "media",
      from: time,
      to: time,
      length: Number.isFinite(duration) ? duration : null,
      probability: highest(null, peak),
    };
    this.say(true);
  }

  /** @param {boolean} begins */
  say(begins) {
    if (!this.open) return;
    this.toldTo = this.open.to;
    this.tell({ ...this.open }, begins);
  }

  /** What comes next is of another place, or of another video. */
  end() {
    if (this.open && this.open.to > this.toldTo) this.say(false);
    this.open = null;
  }
}

/** @param {number|null} known @param {number} peak below 0 for none */
function highest(known, peak) {
  return peak < 0 ? known : Math.max(known ?? 0, peak);
}
