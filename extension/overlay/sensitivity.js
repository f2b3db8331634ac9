// How readily a face is announced as fake. The probability comes calibrated from the server and is
// shown as it is; sensitivity only moves the line at which words become an alarm.

/** @typedef {import("../protocol/messages.js").Face} Face */
/** @typedef {import("../protocol/messages.js").Verdict} Verdict */
/** @typedef {import("../shared/settings.js").Sensitivity} Sensitivity */

/** Seconds of media time that `calm` waits before it repeats the server's likely_fake. */
const CALM_HOLD_S = 3;
/** From this probability on `alert` calls an unsure face likely fake. */
const ALERT_FROM = 0.5;

/**
 * @param {Sensitivity} level
 * @param {Face} face
 * @param {number} held seconds of media time for which the server has said likely_fake without break
 * @returns {Verdict} what the person is told
 */
export function shownVerdict(level, face, held) {
  if (level === "calm" && face.verdict === "likely_fake" && held < CALM_HOLD_S) return "unsure";
  if (level === "alert" && face.verdict === "unsure" && (face.probability ?? 0) >= ALERT_FROM) {
    return "likely_fake";
  }
  return face.verdict;
}

/** @type {readonly Verdict[]} from the weakest to the strongest */
const ORDER = ["gathering", "not_enough_evidence", "likely_real", "unsure", "likely_fake"];

/** @param {{verdict: Verdict}[]} shown @returns {Verdict|null} the strongest word on a face */
export function strongest(shown) {
  return ORDER.findLast((one) => shown.some(({ verdict }) => verdict === one)) ?? null;
}

/** @param {{verdict: Verdict}[]} shown */
export function alarmed(shown) {
  return shown.some(({ verdict }) => verdict === "likely_fake");
}
