// The words of the page: states, reasons, times.

import { locale, verdictWords as inWords, shareWords } from "../../extension/shared/words.js";
import { _, _n } from "../words.js";

/** @typedef {import("./server.js").Monitor} Monitor */
/** @typedef {import("./server.js").Face} Face */
/** @typedef {import("./server.js").Incident} Incident */
/** @typedef {import("../../extension/protocol/messages.js").Verdict} Verdict */

/** @type {Record<Monitor["state"], string>} */
const STATES = {
  connecting: _("Connecting"),
  watching: _("Watching for face manipulation"),
  stalled: _("Nothing to judge"),
  paused: _("Paused"),
  failed: _("Cannot be watched"),
};

/** @param {Monitor["state"]} state */
export function stateWords(state) {
  return STATES[state];
}

/** @param {Monitor} monitor @returns {string} why it stands as it does, as a sentence */
export function reasonWords(monitor) {
  return sentence(monitor.reason_parts ? told(monitor.reason_parts) : monitor.reason);
}

/** @param {import("./server.js").ReasonParts} parts @returns {string} */
function told({ message, values }) {
  const words = Object.entries(values).map(([name, value]) => [name, typeof value === "object" ? told(value) : typeof value === "number" ? figure(value) : value]);
  return _(message, Object.fromEntries(words));
}

/** @param {number} value @returns {string} as the language writes it */
function figure(value) {
  return value.toLocaleString(locale(), { useGrouping: false, maximumFractionDigits: 1 });
}

/** @param {unknown} error @returns {string} what to tell a person of it */
export function troubleWords(error) {
  return sentence(error instanceof Error ? error.message : String(error));
}

/** @param {string} text @returns {string} with a capital and a full stop */
export function sentence(text) {
  const trimmed = text.trim();
  if (!trimmed) return "";
  return trimmed[0].toUpperCase() + trimmed.slice(1) + (/[.!?…]$/.test(trimmed) ? "" : ".");
}

/** @param {Face[]} faces @returns {Face|null} the one to be told of first */
export function mostSuspicious(faces) {
  const order = (/** @type {Face} */ face) => [RANK.indexOf(face.verdict), face.probability ?? 0];
  return faces.reduce(
    (/** @type {Face|null} */ best, face) => {
      if (best === null) return face;
      const [rank, probability] = order(face);
      const [bestRank, bestProbability] = order(best);
      return rank > bestRank || (rank === bestRank && probability > bestProbability) ? face : best;
    },
    null,
  );
}

/** @type {Verdict[]} */
const RANK = ["gathering", "not_enough_evidence", "likely_real", "unsure", "likely_fake"];

/** @param {Face[]} faces */
export function facesWords(faces) {
  const first = mostSuspicious(faces);
  if (first === null) return _("No face in view");
  const verdict = verdictWords(first.verdict, first.probability);
  return _n("{count} face: {verdict}", "{count} faces: {verdict}", faces.length, { verdict });
}

/** @param {Verdict} verdict @param {number|null} probability */
export function verdictWords(verdict, probability) {
  const share = shareWords(verdict, probability);
  return [inWords(verdict, probability).toLowerCase(), share].filter(Boolean).join(", ");
}

/** @param {number} seconds Unix time */
export function clock(seconds) {
  return new Date(1000 * seconds).toLocaleTimeString(locale(), { hour: "2-digit", minute: "2-digit" });
}

/** @param {number} seconds Unix time */
export function clockWithSeconds(seconds) {
  return new Date(1000 * seconds).toLocaleTimeString(locale());
}

/** @param {number} seconds Unix time @param {number} [now] @returns {string} the day only where it is not today */
export function moment(seconds, now = Date.now() / 1000) {
  const then = new Date(1000 * seconds);
  const time = then.toLocaleTimeString(locale(), { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  if (then.toDateString() === new Date(1000 * now).toDateString()) return time;
  return `${then.toLocaleDateString(locale(), { day: "numeric", month: "short", year: "numeric" })}, ${time}`;
}

/** @param {number} seconds @returns {string} such as `7 s`, `12 min 3 s`, `2 h 5 min` */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return whole % 60 ? `${Math.floor(whole / 60)} min ${whole % 60} s` : `${whole / 60} min`;
  const minutes = Math.round((whole % 3600) / 60);
  return minutes ? `${Math.floor(whole / 3600)} h ${minutes} min` : `${Math.floor(whole / 3600)} h`;
}

/** @param {number} seconds of the stream's own clock, as 0:07, 12:03 or 1:02:03 */
export function mediaTime(seconds) {
  const whole = Math.round(seconds);
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** @param {Incident} incident */
export function incidentState(incident) {
  if (incident.wrong) return _("Marked wrong");
  if (incident.acknowledged) return _("Acknowledged");
  return incident.closed_at === null ? _("Going on now") : _("Not looked at yet");
}
