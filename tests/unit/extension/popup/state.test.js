import assert from "node:assert/strict";
import { test } from "node:test";

import { told } from "#extension/popup/state.js";
import { setWords } from "#extension/shared/words.js";
import { read } from "../sources.js";

setWords(JSON.parse(read("_locales/en/messages.json")));

/** @typedef {import("#extension/popup/state.js").Known} Known */
/** @typedef {import("#extension/popup/state.js").Told} Told */
/** @typedef {import("#extension/shared/states.js").Summary} Summary */

const SERVER = "http://127.0.0.1:8765";

/** @param {Summary["state"]} state @param {Partial<Summary>} more @returns {Summary} */
function video(state, more = {}) {
  return { state, faces: 0, fake: false, detail: "", ...more };
}

/** @param {Partial<Known>} more @returns {Known} */
function known(more = {}) {
  return { server: SERVER, answer: "ready", web: true, on: true, entered: true, summaries: [], unreached: [], ...more };
}

/** @param {"ask"|"off"} why @param {...string} hosts @returns {Known["unreached"]} */
function players(why, ...hosts) {
  return hosts.map((host) => ({ why, site: `https://${host}` }));
}

/** @type {Known["unreached"]} */
const CLOSED = [{ why: "closed", site: null }];
/** @type {Known["unreached"]} */
const ELSEWHERE = [{ why: "elsewhere", site: null }];
const FACE = video("watching", { faces: 1 });
const FAKE = video("watching", { faces: 2, fake: true });

/** What a person reads, line by line. @param {Told} all */
function lines({ server, tab, notes, players: { words, ask } }) {
  return [server.words, tab, ...notes, words, ...ask.map(({ words: label }) => label)].filter((line) => line !== "");
}

/** @type {[string, Partial<Known>, string[]][]} */
const CASES = [
  ["not a web page", { web: false, on: false }, [`Connected to ${SERVER}`, "This is not a web page."]],
  ["off", { on: false, unreached: players("ask", "player.example") }, [`Connected to ${SERVER}`, "Not watching this tab. Nothing is captured or sent."]],
  ["a page of the browser, with all sites on", { entered: false }, [`Connected to ${SERVER}`, "The browser keeps extensions out of this page."]],
  ["nothing plays", {}, [`Connected to ${SERVER}`, "Waiting for a video to play in view."]],
  ["paused", { summaries: [video("paused")] }, [`Connected to ${SERVER}`, "Paused"]],
  ["no face", { summaries: [video("watching"), video("paused")] }, [`Connected to ${SERVER}`, "No face in view"]],
  ["a face", { summaries: [FACE] }, [`Connected to ${SERVER}`, "1 face in view."]],
  ["a fake one", { summaries: [FAKE, video("paused")] }, [`Connected to ${SERVER}`, "2 faces in view, at least one likely fake."]],
  [
    "a face, and a video that cannot be judged",
    { summaries: [FACE, video("protected"), video("protected")] },
    [`Connected to ${SERVER}`, "1 face in view.", "Not judged: this video is copy-protected"],
  ],
  ["one that cannot be judged", { summaries: [video("black")] }, [`Connected to ${SERVER}`, "Not judged: the captured picture is black"]],
  ["refused, in the server's words", { summaries: [video("refused", { detail: "too small" })] }, [`Connected to ${SERVER}`, "too small"]],
  ["no answer yet", { answer: "asking" }, [`Asking ${SERVER}`, "Waiting for a video to play in view."]],
  ["no answer yet, and a video that has one", { answer: "asking", summaries: [FACE] }, [`Connected to ${SERVER}`, "1 face in view."]],
  [
    "the server has just gone, the popup does not know yet",
    { summaries: [video("no_server")] },
    [`Connected to ${SERVER}`, "Connecting to your server"],
  ],
  [
    "the server was killed while watching",
    { answer: "unreachable", summaries: [video("no_server")] },
    [`No answer from ${SERVER}. Is the server running?`, "Nothing is judged until the server answers."],
  ],
  [
    "the server is slow: videos are served, the popup is not",
    { answer: "unreachable", summaries: [FACE] },
    [`${SERVER} is slow to answer.`, "1 face in view."],
  ],
  [
    "not paired, while watching",
    { answer: "unpaired", summaries: [video("not_authorised")] },
    ["The server is running. This browser is not paired with it yet.", "Nothing is judged until this browser is paired."],
  ],
  [
    "the token is refused",
    { answer: "rejected", summaries: [video("not_authorised"), FACE] },
    ["The server no longer accepts this browser. Pair again.", "Nothing is judged until this browser is paired."],
  ],
  [
    "a player out of reach",
    { unreached: players("ask", "player.example") },
    [
      `Connected to ${SERVER}`,
      "Fakelight sees no playing video here.",
      "The player on this page comes from player.example, and the browser keeps Fakelight out of it.",
      "Watch players from player.example",
    ],
  ],
  [
    "several, and no server",
    { answer: "unreachable", unreached: players("ask", "a.example", "b.example", "a.example", "c.example", "d.example") },
    [
      `No answer from ${SERVER}. Is the server running?`,
      "Nothing is judged until the server answers.",
      "Players on this page come from other sites, and the browser keeps Fakelight out of them: a.example, b.example, c.example.",
      "Watch players from a.example",
      "Watch players from b.example",
      "Watch players from c.example",
    ],
  ],
  [
    "a player out of reach beside one that is watched",
    { summaries: [FACE], unreached: [...players("ask", "player.example"), ...CLOSED] },
    [
      `Connected to ${SERVER}`,
      "1 face in view.",
      "There may be another player on this page, from player.example.",
      "Watch players from player.example",
    ],
  ],
  [
    "a player of a site that was turned off",
    { unreached: players("off", "player.example") },
    [
      `Connected to ${SERVER}`,
      "Fakelight sees no playing video here.",
      "The player on this page comes from player.example, where you turned Fakelight off.",
      "Turn player.example on again",
    ],
  ],
  [
    "a frame that nobody can open",
    { unreached: CLOSED },
    [
      `Connected to ${SERVER}`,
      "Fakelight sees no playing video here.",
      "The player on this page lies in a frame that the browser keeps every extension out of.",
    ],
  ],
  [
    "a frame that has gone on to a site that nobody names",
    { unreached: [...ELSEWHERE, ...CLOSED] },
    [
      `Connected to ${SERVER}`,
      "Fakelight sees no playing video here.",
      "The player on this page comes from a site that the browser does not tell Fakelight, so it cannot ask you to let it in.",
    ],
  ],
  ["pixels that are kept", { summaries: [video("offered")] }, [`Connected to ${SERVER}`, "Not judged: this site keeps the video's pixels from extensions"]],
  [
    "a frame that cannot be entered, whose tab could be looked at",
    { summaries: [video("offered_closed")] },
    [`Connected to ${SERVER}`, "Not judged: the page keeps every extension out of this video's frame"],
  ],
  ["a look that has ended", { summaries: [video("tab_lost")] }, [`Connected to ${SERVER}`, "Not judged: the look at the tab's picture has ended"]],
];

for (const [name, more, expected] of CASES) {
  test(`the popup says: ${name}`, () => assert.deepEqual(lines(told(known(more))), expected));
}

/** @type {Known["answer"][]} */
const ANSWERS = ["asking", "ready", "unpaired", "rejected", "unreachable", "strange"];
/** @type {Partial<Known>[]} */
const TABS = [{ web: false, on: false, entered: false }, { on: false }, { entered: false }, {}];
/** @type {Summary["state"][]} */
const STATES = ["connecting", "open", "no_server", "not_authorised", "refused", "altered", "black", "unreadable", "protected", "watching", "paused", "offered", "offered_closed", "tab_lost", "busy", "waiting", "full", "sandboxed"];
const VIDEOS = [[], [FACE], [FAKE], ...STATES.flatMap((state) => [[video(state)], [video(state), FACE], [video(state), video("no_server")]])];
const FRAMES = [[], players("ask", "a.example"), players("ask", "a.example", "b.example"), players("off", "c.example"), CLOSED, ELSEWHERE, [...CLOSED, ...players("ask", "d.example")]];

const THERE = /\bConnected\b/;
const NOT_THERE = /No answer|does not answer|not as a Fakelight|until the server answers/;
const NO_ENTRY = /not paired|no longer accepts|Pair again|until this browser is paired|Not paired/;

test("no two lines contradict each other, whatever comes together", () => {
  for (const answer of ANSWERS) {
    for (const tab of TABS) {
      for (const summaries of VIDEOS) {
        for (const unreached of FRAMES) {
          const state = known({ answer, ...tab, summaries, unreached });
          const all = told(state);
          const text = lines(all).join("\n");
          const where = `${JSON.stringify(state)}\n${text}`;
          assert.doesNotMatch(text, /undefined|\$|^\w*_\w*$/m, where);
          const claims = [THERE, NOT_THERE, NO_ENTRY].filter((claim) => claim.test(text));
          assert.ok(claims.length <= 1, `several words on the server: ${where}`);
          assert.equal(THERE.test(text), all.server.tone === "ready", where);
          assert.equal(all.pair, NO_ENTRY.test(all.server.words), where);
          if (/in view\.|likely fake/.test(text)) assert.ok(!NOT_THERE.test(text) && !NO_ENTRY.test(text), where);
          if (/Waiting for a video/.test(text)) assert.ok(summaries.length + unreached.length === 0, where);
          if (/Nothing is captured/.test(text)) assert.ok(!state.on && lines(all).length === 2, where);
          const sites = new Set(unreached.flatMap(({ site }) => site ?? []));
          const mayAsk = state.web && state.on && state.entered;
          assert.deepEqual(all.players.ask.map(({ site }) => site), mayAsk ? [...sites] : [], where);
          for (const { site } of all.players.ask) assert.ok(all.players.words.includes(new URL(site).hostname), where);
          assert.equal(new Set(lines(all)).size, lines(all).length, `said twice: ${where}`);
        }
      }
    }
  }
});

test("a server that has more to do than it can is told in looks a second, the slowest video's", () => {
  const slowed = [{ rate: 3.4, full: 10 }, { rate: 0.7, full: 10 }].map((looks) => video("watching", { faces: 1, looks }));
  assert.deepEqual(told(known({ summaries: slowed })).notes, ["Your server is busy: 0.7 looks a second instead of 10."]);
  assert.deepEqual(told(known({ summaries: slowed.slice(0, 1) })).notes, ["Your server is busy: 3 looks a second instead of 10."]);
  assert.deepEqual(told(known({ summaries: [video("watching", { faces: 1, looks: null })] })).notes, []);
});
