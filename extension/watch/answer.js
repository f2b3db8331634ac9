// What the last verdict said of the faces of one video.

import { alarmed, strongest } from "../overlay/sensitivity.js";

/** @typedef {import("../protocol/messages.js").Verdict} Verdict */

export class Answer {
  /** @param {{verdict: Verdict}[]|null} shown the faces as they are told; null before there is a verdict */
  constructor(shown) {
    this.isThere = shown !== null;
    this.faces = shown?.length ?? 0;
    this.fake = alarmed(shown ?? []);
    this.gathering = shown?.some(({ verdict }) => verdict === "gathering") ?? false;
    /** The strongest word on a face. */
    this.word = strongest(shown ?? []);
  }
}

/** Nothing has been said, or what was said is of the past. */
export const NO_ANSWER = Object.freeze(new Answer(null));
