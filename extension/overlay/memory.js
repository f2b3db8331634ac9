// What was found in one video, by the video's own time. It outlives the session that watched it: a
// loop, a seek, another quality and a scroll out of view and back find it again. It lies in this
// document's memory only.

/** @typedef {import("../protocol/messages.js").Verdict} Verdict */
/** @typedef {"likely_real"|"unsure"|"likely_fake"} Decided the verdicts that are worth keeping */
/** @typedef {{from: number, to: number, verdict: Decided}} Stretch seconds of the memory's clock */
/**
 * How the times of a video are counted. media: from its beginning; day: seconds since the epoch, for
 * calls and cameras, which have no beginning that a person knows of.
 * @typedef {"media"|"day"} Clock
 */

/** How finely times are kept, seconds. */
const SLOT_S = 0.5;
/** Four hours; of a longer live stream the earliest is forgotten. */
const MOST_SLOTS = (4 * 3600) / SLOT_S;
/** Two verdicts further apart than this (seconds) say nothing of what lies between them. */
const LONGEST_GAP_S = 2;
/** Two flagged stretches that are this close (seconds) are told as one. */
const JOIN_S = 1;

/** @type {readonly Decided[]} from the weakest to the strongest */
const ORDER = ["likely_real", "unsure", "likely_fake"];

export class VideoMemory {
  /** @param {Clock} clock */
  constructor(clock = "media") {
    this.clock = clock;
    /** @type {Map<number, Decided>} slot to the strongest verdict that was told in it */
    this.slots = new Map();
    /** Grows with every change. */
    this.version = 0;
    /** Grows with every change of what was flagged. */
    this.flagVersion = 0;
    /** @type {{time: number, verdict: Decided}|null} */
    this.last = null;
    /** @type {{version: number, stretches: Stretch[]}} */
    this.made = { version: 0, stretches: [] };
  }

  /**
   * The faces of one picture were told. Where a place is looked at twice the stronger verdict stays:
   * what was flagged was flagged, and after a loop or a seek less evidence stands behind the first
   * words.
   * @param {number} time seconds, by the memory's clock
   * @param {readonly Verdict[]} verdicts as the person was told
   */
  note(time, verdicts) {
    const verdict = ORDER.findLast((one) => verdicts.includes(one));
    const { last } = this;
    this.last = verdict ? { time, verdict } : null;
    if (!verdict) return;
    const slot = Math.floor(time / SLOT_S);
    const goesOn = last?.verdict === verdict && time >= last.time && time - last.time <= LONGEST_GAP_S;
    for (let at = goesOn ? Math.floor(last.time / SLOT_S) : slot; at <= slot; at++) this.keep(at, verdict);
  }

  /** @param {number} slot @param {Decided} verdict */
  keep(slot, verdict) {
    const known = this.slots.get(slot);
    if (known && ORDER.indexOf(known) >= ORDER.indexOf(verdict)) return;
    this.slots.set(slot, verdict);
    this.version++;
    if (verdict === "likely_fake") this.flagVersion++;
    if (this.slots.size > MOST_SLOTS) {
      const [oldest] = this.slots.keys();
      this.slots.delete(oldest);
    }
  }

  /** The next verdict is of another place. */
  jumped() {
    this.last = null;
  }

  /** @returns {readonly Stretch[]} what was judged, in order; neighbours differ or lie apart */
  get stretches() {
    if (this.made.version === this.version) return this.made.stretches;
    /** @type {Stretch[]} */
    const stretches = [];
    for (const slot of [...this.slots.keys()].sort((a, b) => a - b)) {
      const verdict = /** @type {Decided} */ (this.slots.get(slot));
      const from = slot * SLOT_S;
      const before = stretches.at(-1);
      if (before && before.verdict === verdict && before.to === from) before.to = from + SLOT_S;
      else stretches.push({ from, to: from + SLOT_S, verdict });
    }
    this.made = { version: this.version, stretches };
    return stretches;
  }

  /** @returns {Stretch[]} where a face was told as likely fake */
  get flagged() {
    /** @type {Stretch[]} */
    const found = [];
    for (const stretch of this.stretches) {
      if (stretch.verdict !== "likely_fake") continue;
      const before = found.at(-1);
      if (before && stretch.from - before.to <= JOIN_S) before.to = stretch.to;
      else found.push({ ...stretch });
    }
    return found;
  }

  /** Seconds of the video in which a face was judged. */
  get judgedSeconds() {
    return this.slots.size * SLOT_S;
  }
}
