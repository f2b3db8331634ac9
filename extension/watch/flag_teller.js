// Tells the service worker of a flagged stretch, with a picture where it asks for one.

import { stillOf } from "../capture/still.js";

/** @typedef {import("../shared/flag.js").Flag} Flag */
/** @typedef {import("./session.js").VideoSession} VideoSession */

/** @param {Flag} flag @param {VideoSession|null} session where it has just begun */
export async function tellFlag(flag, session) {
  try {
    const answer = await chrome.runtime.sendMessage({ type: "flag", flag });
    // It is kept where the person has turned the list on, and then once for each stretch.
    if (!answer?.still || !session || !("videoWidth" in session.video)) return;
    const still = await stillOf(session.video);
    if (still) await chrome.runtime.sendMessage({ type: "flag-still", id: answer.id, still });
  } catch {
    // The extension was updated meanwhile: this copy has nobody to talk to any more.
  }
}
