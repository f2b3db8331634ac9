// The one word for how it stands with a watched video, out of all that may be the matter.

/** @typedef {import("../shared/states.js").State} State */
/** @typedef {import("./session.js").VideoSession} VideoSession */

/** @param {State|null} finding @returns {finding is "unreadable"|"sandboxed"} whether a picture of the tab would help */
export function isKept(finding) {
  return finding === "unreadable" || finding === "sandboxed";
}

/** @param {VideoSession} session @returns {State} */
export function stateOf({ finding, way, hasPlace, link, video, hidden, pace, answer }) {
  if (isKept(finding) && way.picture === "off") return finding === "sandboxed" ? "offered_closed" : "offered";
  if (isKept(finding) && way.picture === "lost") return "tab_lost";
  if (finding) return finding;
  if (hasPlace && link.state !== "open") return link.state;
  if (video.paused || hidden) return "paused";
  if (!hasPlace) return "waiting";
  if (pace.isBusy) return "busy";
  return answer.isThere ? "watching" : "open";
}
