// How often one video is looked at. Where answers come late, or taking a picture takes long, it is
// looked at less often, so that neither the server nor the page gets behind, and it is said.

/** Pictures per second of real time, from the first slow-down on; before it, as many as are due. */
const STEPS = [5, 2, 1];
/** How long the answers of one look at the pace are gathered, milliseconds. */
export const LOOK_MS = 2000;
/** Later answers than this, or pictures that take longer (milliseconds), are slow ... */
const SLOW_ANSWER_MS = 700;
const SLOW_TAKE_MS = 120;
/** ... and so are answers to a smaller share of the pictures than this. */
const SLOW_SHARE = 0.35;
/** Only well below those is there room for more. */
const ROOM = 0.5;
/** Slow looks in a row before the pace changes: a hiccup is no reason. */
const PATIENCE = 2;
/** Good looks in a row before it is tried faster; twice as many each time, until it has held. */
const FIRST_CALM = 3;
const LONGEST_CALM = 24;

export class Pace {
  /** @param {number} now milliseconds */
  constructor(now = performance.now()) {
    /** How often it was slowed down: 0 when every picture that is due is taken. */
    this.step = 0;
    /** Slow even at the last step. */
    this.starving = false;
    this.slowLooks = 0;
    this.goodLooks = 0;
    this.calm = FIRST_CALM;
    this.since = now;
    this.sent = 0;
    /** @type {number[]} milliseconds from each picture to its answer */
    this.answers = [];
    /** @type {number[]} milliseconds that each picture took to take */
    this.takes = [];
  }

  /** Begin the look anew: the video has stopped, jumped or lost its link. @param {number} now */
  reset(now) {
    this.since = now;
    this.sent = 0;
    this.answers = [];
    this.takes = [];
  }

  get isBusy() {
    return this.step > 0;
  }

  /** @returns {number} pictures per second of real time */
  get mostPerSecond() {
    return this.step === 0 ? Infinity : STEPS[this.step - 1];
  }

  /** @param {number} took milliseconds that taking the picture took @param {number} now */
  sentOne(took, now) {
    this.look(now);
    this.sent++;
    this.takes.push(took);
  }

  /** @param {number} after milliseconds since the picture was taken @param {number} now */
  answeredOne(after, now) {
    this.answers.push(after);
    this.look(now);
  }

  /** @param {number} now milliseconds */
  look(now) {
    if (now - this.since < LOOK_MS) return;
    const { sent, answers, takes } = this;
    const apart = now - this.since;
    this.reset(now);
    // Too few to say anything, or nobody looked for a while.
    if (sent < 2 || apart > 4 * LOOK_MS) return;
    const share = answers.length / sent;
    const answer = answers.length > 0 ? median(answers) : Infinity;
    const take = median(takes);
    if (answer > SLOW_ANSWER_MS || take > SLOW_TAKE_MS || share < SLOW_SHARE) this.slow();
    else if (answer < ROOM * SLOW_ANSWER_MS && take < ROOM * SLOW_TAKE_MS && share > ROOM) this.good();
    else this.fair();
  }

  slow() {
    this.goodLooks = 0;
    if (++this.slowLooks < PATIENCE) return;
    this.slowLooks = 0;
    this.starving = this.step === STEPS.length;
    if (!this.starving) this.step++;
  }

  fair() {
    this.starving = false;
    this.slowLooks = 0;
    this.goodLooks = 0;
  }

  good() {
    this.slowLooks = 0;
    this.starving = false;
    if (++this.goodLooks < this.calm) return;
    this.goodLooks = 0;
    if (this.step === 0) this.calm = FIRST_CALM;
    else {
      this.step--;
      this.calm = Math.min(LONGEST_CALM, 2 * this.calm);
    }
  }
}

/** @param {number[]} values at least one */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
