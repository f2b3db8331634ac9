// How much the list of what was flagged may hold, and what goes first where it holds more.

/** @typedef {import("./store.js").Entry} Entry */

export const MOST_ENTRIES = 200;
/** Bytes of all stills. */
export const MOST_BYTES = 20_000_000;
/** Characters of a note; the server takes as many. */
export const MOST_NOTE = 2000;

/**
 * @param {readonly Entry[]} entries
 * @returns {string[]} the ids of those that are too many: the oldest, and what the person has said
 *     something of last of all
 */
export function overLimit(entries) {
  const kept = [...entries].sort((a, b) => Number(a.note === null) - Number(b.note === null) || b.seenAt - a.seenAt);
  const over = [];
  let [count, bytes] = [0, 0];
  for (const { id, still } of kept) {
    count++;
    bytes += still?.size ?? 0;
    if (count > MOST_ENTRIES || bytes > MOST_BYTES) over.push(id);
  }
  return over;
}
