// Times of a video in words: 0:12, 1:02:03, or the time of day for what has no beginning.

import { locale, say } from "../shared/words.js";

/** @typedef {import("./memory.js").Clock} Clock */
/** @typedef {{from: number, to: number}} Span seconds */

/** @param {number} seconds @param {Clock} clock */
export function timeWords(seconds, clock) {
  if (clock === "day") {
    return new Date(1000 * seconds).toLocaleTimeString(locale(), { timeStyle: "medium" });
  }
  const whole = Math.floor(Math.max(0, seconds));
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (parts[0] === 0) parts.shift();
  return parts.map((part, index) => (index ? String(part).padStart(2, "0") : String(part))).join(":");
}

/** @param {Span} span @param {Clock} clock */
export function spanWords({ from, to }, clock) {
  const [first, last] = [timeWords(from, clock), timeWords(to, clock)];
  return first === last ? first : say("time_span", first, last);
}

/**
 * @param {readonly Span[]} flagged at least one
 * @param {Clock} clock
 * @param {number} most so many are named, the rest is counted
 */
export function flaggedWords(flagged, clock, most) {
  const named = flagged.slice(0, most).map((span) => spanWords(span, clock)).join(", ");
  const rest = flagged.length - most;
  return rest > 0 ? say("flagged_at_and_more", named, String(rest)) : say("flagged_at", named);
}
