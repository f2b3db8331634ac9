// A stretch of a video in which a face was told as likely fake, from the content script that saw it to
// the list and the notifications. A loop, a seek and a page loaded anew come by the same stretch again.

/** @typedef {"media"|"day"} Clock see overlay/memory.js */
/**
 * @typedef {object} Flag
 * @property {string} id made by the content script
 * @property {string} document which has seen it, and
 * @property {number} video number of the video in it; 0 where it is not known which it is
 * @property {Clock} clock
 * @property {number} from seconds of that clock
 * @property {number} to
 * @property {number|null} length of the video, seconds; null where it has no end
 * @property {number|null} probability the highest that was told
 */
/** @typedef {Pick<Flag, "document"|"video"|"clock"|"from"|"to"> & {key: string}} Stretch of the video on the page `key` */

/** Two stretches that are this close, seconds, are told as one. */
const JOIN_S = 3;

/** @param {Stretch} a @param {Stretch} b @returns {boolean} whether they are of the same place of the same video */
export function isSameStretch(a, b) {
  if (a.key !== b.key || a.clock !== b.clock) return false;
  if (a.document === b.document && a.video !== b.video) return false;
  return a.from <= b.to + JOIN_S && b.from <= a.to + JOIN_S;
}

/** @template {{from: number, to: number}} T @param {T} known @param {{from: number, to: number}} more @returns {T} both */
export function joined(known, { from, to }) {
  return { ...known, from: Math.min(known.from, from), to: Math.max(known.to, to) };
}

/**
 * @param {string} address of the page
 * @param {number|null} length of the video
 * @returns {Promise<string>} what stands for the video on that page and does not show the address
 */
export async function keyOf(address, length) {
  const text = `${address.replace(/#.*$/s, "")} ${length?.toFixed(1)}`;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
