// More videos than can be judged at once: who is, and for how long.

/** A turn lasts at least this long, and no longer than that while the next one waits, milliseconds. */
export const SHORTEST_TURN_MS = 8000;
export const LONGEST_TURN_MS = 20_000;
/** A video this many times as large as the next is what the page is about: it keeps its place. */
const MUCH_LARGER = 2;
/** A place that the server refused is asked for again after this long, milliseconds. */
export const ASK_AGAIN_MS = 30_000;

/**
 * @typedef {object} Candidate a playing video in view
 * @property {number} area of the part in view, CSS pixels
 * @property {number|null} since when its turn began, milliseconds; null for one that waits
 * @property {number} leftAt when its last turn ended; -Infinity for one that had none
 * @property {boolean} settled whether its turn has come to an answer
 */

/**
 * The largest first, then in turn.
 * @template {Candidate} T
 * @param {readonly T[]} candidates
 * @param {number} places
 * @param {number} now milliseconds
 * @returns {Set<T>} whose turn it is
 */
export function whoseTurn(candidates, places, now) {
  if (candidates.length <= places) return new Set(candidates);
  const bySize = [...candidates].sort((a, b) => b.area - a.area);
  /** @type {Set<T>} */
  const chosen = new Set();
  if (places > 1 && bySize[0].area >= MUCH_LARGER * bySize[1].area) chosen.add(bySize[0]);
  const rest = bySize.filter((one) => !chosen.has(one));
  const inTurn = rest.filter((one) => one.since !== null && !isOver(one, now));
  // Array.sort keeps the order of equals: among those who never had a turn, the largest first.
  const waiting = rest.filter(({ since }) => since === null).sort((a, b) => order(a.leftAt, b.leftAt));
  const done = rest.filter((one) => one.since !== null && isOver(one, now));
  for (const one of [...inTurn, ...waiting, ...done]) {
    if (chosen.size >= places) break;
    chosen.add(one);
  }
  return chosen;
}

/** @param {number} a @param {number} b both may be -Infinity */
function order(a, b) {
  return a === b ? 0 : a - b;
}

/** @param {Candidate} one @param {number} now */
function isOver({ since, settled }, now) {
  const held = now - (since ?? now);
  return held >= (settled ? SHORTEST_TURN_MS : LONGEST_TURN_MS);
}

/** How many videos can be judged at once: as far as the server lets, and keeps up. */
export class Capacity {
  /** @param {number} most */
  constructor(most) {
    this.most = most;
    this.places = most;
    this.changedAt = -Infinity;
  }

  /**
   * @param {{open: number, refused: number, starving: boolean}} seen places that the server gave and
   *     refused, and whether it is behind at the slowest pace
   * @param {number} now milliseconds
   */
  note({ open, refused, starving }, now) {
    if (refused > 0) this.set(Math.max(1, open), now);
    else if (starving && now - this.changedAt > LONGEST_TURN_MS) this.set(Math.max(1, open - 1), now);
    else if (this.places < this.most && !starving && now - this.changedAt > ASK_AGAIN_MS) {
      this.set(this.places + 1, now);
    }
  }

  /** @param {number} places @param {number} now */
  set(places, now) {
    this.places = Math.min(this.most, places);
    this.changedAt = now;
  }
}
