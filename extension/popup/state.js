// What the popup says, made in one place of all that it knows: no two lines of it tell two stories.
// The server's line alone speaks of the server; while that is amiss the tab's line says that nothing
// is judged, whatever the videos told before.

import { busyWords, say } from "../shared/words.js";

/** @typedef {import("../shared/states.js").State} State */
/** @typedef {import("../shared/states.js").Summary} Summary */
/** @typedef {import("../transport/probe.js").ServerState} ServerState */
/** @typedef {{why: "ask"|"off"|"closed"|"elsewhere", site: string|null}} Unreached see background/unreachable.js */
/**
 * @typedef {object} Known
 * @property {string} server its address
 * @property {ServerState|"asking"} answer to the popup's own question; asking: none yet
 * @property {boolean} web whether the tab shows a page of the web
 * @property {boolean} on whether it is watched
 * @property {boolean} entered whether the browser lets the extension into the page
 * @property {Summary[]} summaries of the videos that are watched
 * @property {Unreached[]} unreached frames that hold players and cannot be watched, the largest first
 */
/**
 * @typedef {object} Told
 * @property {{tone: "ready"|"trouble"|"asking", words: string}} server
 * @property {boolean} pair whether to offer pairing
 * @property {string} tab
 * @property {string[]} notes on single videos
 * @property {{words: string, ask: {site: string, words: string}[]}} players out of reach, and which
 *     of their sites can be asked for
 */

/** Sites asked for at a time: a page full of adverts is no questionnaire. */
const MOST_ASKED = 3;
/** States that a video has only while its pictures reach the server. @type {readonly State[]} */
const LINKED = ["open", "watching", "busy", "paused"];
/** On the way to the server: what is amiss there is for the server's line to say. @type {readonly State[]} */
const ON_THE_WAY = ["connecting", "no_server", "not_authorised"];

/** @param {Known} known @returns {Told} */
export function told(known) {
  const server = serverState(known);
  return {
    server: serverLine(server, known.server),
    pair: server === "unpaired" || server === "rejected",
    tab: tabLine(known, server),
    notes: isJudged(known, server) ? notesOn(known.summaries) : [],
    players: known.web && known.on && known.entered ? playersLine(known) : { words: "", ask: [] },
  };
}

/**
 * Videos whose pictures arrive are proof of a server, even before it has answered the popup. One that
 * leaves the popup without an answer meanwhile is slow, not gone: it would have dropped them.
 * @param {Known} known
 * @returns {ServerState|"asking"|"slow"}
 */
function serverState({ answer, summaries }) {
  const linked = summaries.some(({ state }) => LINKED.includes(state) || state === "full");
  if (answer === "asking") return linked ? "ready" : "asking";
  return answer === "unreachable" && linked ? "slow" : answer;
}

/** @param {ReturnType<typeof serverState>} state @param {string} server @returns {Told["server"]} */
function serverLine(state, server) {
  if (state === "asking") return { tone: "asking", words: say("server_asking", server) };
  if (state === "slow") return { tone: "trouble", words: say("server_slow", server) };
  return { tone: state === "ready" ? "ready" : "trouble", words: say(`server_${state}`, server) };
}

/** @param {Known} known @param {ReturnType<typeof serverState>} server */
function tabLine(known, server) {
  if (!known.web) return say("not_a_web_page");
  if (!known.on) return say("not_watched");
  if (!known.entered) return say("cannot_enter");
  if (server === "unpaired" || server === "rejected") return say("waits_for_pairing");
  if (server === "unreachable" || server === "strange") return say("waits_for_server");
  if (known.summaries.length === 0) return say(known.unreached.length > 0 ? "nothing_seen" : "no_video");
  return facesLine(known.summaries);
}

/** @param {Known} known @param {ReturnType<typeof serverState>} server */
function isJudged({ web, on, entered }, server) {
  return web && on && entered && ["ready", "slow", "asking"].includes(server);
}

/** @param {Summary[]} summaries of one video at least */
function facesLine(summaries) {
  const faces = summaries.reduce((sum, { faces: count }) => sum + count, 0);
  if (summaries.some(({ fake }) => fake)) return faces === 1 ? say("face_fake") : say("faces_fake", String(faces));
  if (faces > 0) return faces === 1 ? say("face_in_view") : say("faces_in_view", String(faces));
  return stateWords(telling(summaries));
}

/** The video that tells most while no face is in view. @param {Summary[]} summaries */
function telling(summaries) {
  /** @param {Summary} summary */
  const rank = ({ state }) => (["watching", "busy", "open"].includes(state) ? 0 : ON_THE_WAY.includes(state) ? 1 : state === "paused" ? 3 : 2);
  return [...summaries].sort((a, b) => rank(a) - rank(b))[0];
}

/** @param {Summary} summary */
function stateWords({ state, detail }) {
  if (ON_THE_WAY.includes(state)) return say("state_connecting");
  // What can be done about it is said below, with the button.
  if (state === "offered") return say("state_unreadable");
  if (state === "offered_closed") return say("state_sandboxed");
  if (state === "tab_lost") return say("state_not_looked_at");
  return state === "refused" && detail ? detail : say(`state_${state}`);
}

/** What is the matter with videos that the line on faces leaves out. @param {Summary[]} summaries */
function notesOn(summaries) {
  const line = summaries.length > 0 ? facesLine(summaries) : "";
  const amiss = summaries.filter(({ state }) => !LINKED.includes(state) && !ON_THE_WAY.includes(state));
  const slowed = summaries.flatMap(({ looks }) => looks ?? []).sort((a, b) => a.rate - b.rate);
  return [...new Set(amiss.map(stateWords)), ...slowed.slice(0, 1).map(busyWords)].filter((words) => words !== line);
}

/** @param {Known} known @returns {Told["players"]} */
function playersLine({ summaries, unreached }) {
  const watched = summaries.length > 0;
  /** @type {Map<string, "ask"|"off">} */
  const sites = new Map();
  for (const { why, site } of unreached) if (site !== null && (why === "ask" || why === "off")) sites.set(site, why);
  const asked = [...sites].slice(0, MOST_ASKED);
  const words = asked.length > 0 ? whence(asked, watched) : "";
  // Beside a video that is watched, a closed frame is an advert more often than not.
  const [largest] = watched || asked.length > 0 ? [] : unreached;
  const why = largest?.why === "elsewhere" ? say("player_elsewhere") : say("player_closed");
  return {
    words: largest ? why : words,
    ask: asked.map(([site, why]) => ({
      site,
      words: why === "off" ? say("player_turn_on", hostOf(site)) : say("player_allow", hostOf(site)),
    })),
  };
}

/** @param {[string, "ask"|"off"][]} asked @param {boolean} watched whether another video is */
function whence(asked, watched) {
  const [[site, why]] = asked;
  if (asked.length > 1) return say("players_from", asked.map(([one]) => hostOf(one)).join(", "));
  if (why === "off") return say("player_off", hostOf(site));
  return watched ? say("player_also_from", hostOf(site)) : say("player_from", hostOf(site));
}

/** @param {string} site */
function hostOf(site) {
  return new URL(site).hostname;
}
