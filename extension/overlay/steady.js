// A box that sits still on a still face and does not lag behind a moving one.
//
// One-euro filter (Casiez, Roussel, Vogel, CHI 2012) on centre and size, prediction over the few
// tens of milliseconds between the judged frame and the one on the screen, and a dead band against
// the last trembling. Lengths are measured in face widths, so that one tuning fits every size.

/** @typedef {[number, number, number, number]} Box left, top, width, height */

const MIN_CUTOFF_HZ = 1.2;
const BETA = 4;
const SIZE_CUTOFF_HZ = 0.6;
const SPEED_CUTOFF_HZ = 3;
/** Slower than this (face widths per second) is taken for noise and not predicted. */
const STILL_SPEED = 0.12;
const LONGEST_PREDICTION_S = 0.3;
const DEAD_BAND = 0.025;

/** @param {number} cutoff Hz @param {number} dt seconds */
function alpha(cutoff, dt) {
  const r = 2 * Math.PI * cutoff * dt;
  return r / (r + 1);
}

class OneEuro {
  /** @param {number} value @param {number} minCutoff */
  constructor(value, minCutoff) {
    this.value = value;
    this.speed = 0;
    this.minCutoff = minCutoff;
  }

  /** @param {number} value @param {number} dt seconds @param {number} unit length of one face width */
  update(value, dt, unit) {
    const speed = (value - this.value) / dt;
    this.speed += alpha(SPEED_CUTOFF_HZ, dt) * (speed - this.speed);
    const cutoff = this.minCutoff + (BETA * Math.abs(this.speed)) / unit;
    this.value += alpha(cutoff, dt) * (value - this.value);
  }
}

export class SteadyBox {
  /** @param {Box} box @param {number} time media time, seconds */
  constructor(box, time) {
    const [left, top, width, height] = box;
    this.time = time;
    this.x = new OneEuro(left + width / 2, MIN_CUTOFF_HZ);
    this.y = new OneEuro(top + height / 2, MIN_CUTOFF_HZ);
    this.width = new OneEuro(width, SIZE_CUTOFF_HZ);
    this.height = new OneEuro(height, SIZE_CUTOFF_HZ);
    /** @type {[number, number, number, number]} centre x, centre y, width, height as last shown */
    this.shown = [this.x.value, this.y.value, width, height];
  }

  /** @param {Box} box @param {number} time */
  update(box, time) {
    const dt = time - this.time;
    if (dt <= 0) return;
    const [left, top, width, height] = box;
    this.x.update(left + width / 2, dt, this.width.value);
    this.y.update(top + height / 2, dt, this.height.value);
    this.width.update(width, dt, this.width.value);
    this.height.update(height, dt, this.height.value);
    this.time = time;
  }

  /**
   * @param {number} time media time for which to place the box: now, or a moment ahead
   * @returns {Box}
   */
  at(time) {
    const ahead = Math.max(0, Math.min(LONGEST_PREDICTION_S, time - this.time));
    const { x, y, width, height } = this;
    const target = [
      x.value + moving(x.speed, width.value) * ahead,
      y.value + moving(y.speed, height.value) * ahead,
      width.value,
      height.value,
    ];
    const units = [width.value, height.value, width.value, height.value];
    for (let i = 0; i < 4; i++) {
      const band = DEAD_BAND * units[i];
      const off = target[i] - this.shown[i];
      if (Math.abs(off) > band) this.shown[i] += off - Math.sign(off) * band;
    }
    const [cx, cy, w, h] = this.shown;
    return [cx - w / 2, cy - h / 2, w, h];
  }
}

/** @param {number} speed @param {number} unit */
function moving(speed, unit) {
  return Math.abs(speed) > STILL_SPEED * unit ? speed : 0;
}
