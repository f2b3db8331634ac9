// What is said of one entry of the list, on the page and in a report.

import { spanWords } from "../overlay/times.js";
import { locale, percent, say } from "../shared/words.js";

/** @typedef {import("./store.js").Entry} Entry */

/** @param {Entry} entry */
export function verdictOf({ probability }) {
  const words = say("verdict_likely_fake");
  return probability === null ? words : `${words}, ${percent(probability)}`;
}

/** @param {Entry} entry */
export function titleOf({ title }) {
  return title || say("traces_untitled");
}

/** @param {Entry} entry */
export function placeOf({ clock, from, to }) {
  const times = spanWords({ from, to }, clock);
  // Of a call or a camera the time in the video is the time of day.
  return clock === "day" ? times : say("traces_in_video", times);
}

/** @param {Entry} entry */
export function seenOf({ seenAt }) {
  const time = new Date(seenAt).toLocaleString(locale(), { dateStyle: "medium", timeStyle: "short" });
  return say("traces_seen", time);
}

/** @param {Entry} entry */
export function versionsOf({ extension, server }) {
  if (!server) return say("report_version", extension);
  return say("report_versions", extension, server.version, server.models.join(", "));
}
