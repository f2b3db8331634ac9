// Which stretches were told already: each gets one notification and one sound, not a stream of them.

import { isSameStretch, joined } from "../shared/flag.js";

/** @typedef {import("../shared/flag.js").Stretch} Stretch */

/** The oldest are forgotten. */
export const MOST_TOLD = 100;

/**
 * @param {readonly Stretch[]} told
 * @param {Stretch} stretch
 * @returns {{isNew: boolean, told: Stretch[]}} with what is told from now on
 */
export function noted(told, stretch) {
  const { key, document, video, clock, from, to } = stretch;
  const known = told.find((one) => isSameStretch(one, stretch));
  const others = told.filter((one) => one !== known);
  const kept = known ? joined(known, stretch) : { key, document, video, clock, from, to };
  return { isNew: !known, told: [...others, kept].slice(-MOST_TOLD) };
}
