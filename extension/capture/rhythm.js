// The sampling rhythm: which frames of a video are taken. The same rule as the server's
// (stream_server/rhythm.py): it scores one frame per beat, so that another rule here would
// send it frames that it leaves out.

/** Of a beat: a frame that comes this much early stands for the beat. */
const NEAR = 0.25;

export class Rhythm {
  /** @param {number} rate beats per second of media time, counted from zero */
  constructor(rate) {
    this.rate = rate;
    this.slot = -Infinity;
  }

  /** Whether a frame at this time, in seconds, begins a new beat. @param {number} time */
  isDue(time) {
    return this.slotOf(time) > this.slot;
  }

  /** A frame was taken. @param {number} time */
  take(time) {
    this.slot = this.slotOf(time);
  }

  /** From when on, in seconds, a frame is due. */
  get next() {
    return (this.slot + 1 - NEAR) / this.rate;
  }

  /** Begin anew: the next frame may have any time. */
  reset() {
    this.slot = -Infinity;
  }

  /** @param {number} time */
  slotOf(time) {
    return Math.floor(time * this.rate + NEAR);
  }
}
