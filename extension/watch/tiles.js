// The tiles of a call. Pages make them anew when people come, go or change places, and a new element has
// no picture for a while: so long the session of the old one waits for it.

import { trackNameOf } from "../capture/track.js";

/** So long, milliseconds: on a machine with much to do an element's first picture may take seconds. */
export const WAIT_MS = 5000;

/**
 * @typedef {object} Tile
 * @property {{hasPlace: boolean}} session
 * @property {string|null} track of a stream
 * @property {number|null} goneAt since when no element shows it, milliseconds; null while one does
 */

/**
 * @param {HTMLVideoElement} video
 * @param {Tile} tile
 * @param {HTMLVideoElement[]} free those to be seen that have no session, and perhaps `video` itself
 * @returns {HTMLVideoElement|undefined} the one that shows now what `video` showed
 */
export function nextOf(video, { track }, free) {
  return free.find((one) => one === video || (track !== null && trackNameOf(one) === track));
}

/**
 * Whether a tile that is not to be seen may still come back. Without a place at the server there is
 * nothing that would be lost.
 * @param {Tile} tile
 * @param {number} now milliseconds
 */
export function waits({ session, track, goneAt }, now) {
  return track !== null && session.hasPlace && now - (goneAt ?? now) < WAIT_MS;
}
