import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { VideoSession } from "#extension/watch/session.js";

/** @typedef {import("#extension/shared/states.js").Summary} Summary */
/** @typedef {import("#extension/transport/link.js").LinkEvents} LinkEvents */

class Video extends EventTarget {
  paused = false;
  ended = false;
  seeking = false;
  requestVideoFrameCallback() {
    return 1;
  }
  cancelVideoFrameCallback() {}
}

/** @type {Video} */
let video;
/** @type {LinkEvents} the other end of the link */
let server;
/** @type {string[]} what the link and the overlay were told */
let told;
/** @type {string[]} the ways for which links were opened */
let links;
/** @type {Summary[]} */
let summaries;
/** @type {VideoSession} */
let session;

beforeEach(() => {
  video = new Video();
  told = [];
  links = [];
  summaries = [];
  const heat = {
    connect: () => {},
    answered: (/** @type {{type: string}} */ { type }) => told.push(`heat ${type}`),
  };
  const overlay = {
    card: { heat },
    show: (/** @type {{faces: object[]}} */ { faces }) => faces,
    clear: () => told.push("clear"),
    settle: () => told.push("settle"),
    layout: () => {},
    setState: () => {},
    setFilmed: (/** @type {boolean} */ filmed, /** @type {boolean} */ slowly) =>
      told.push(filmed ? `filmed${slowly ? " slowly" : ""}` : "not filmed"),
    remove: () => told.push("remove"),
  };
  session = new VideoSession(/** @type {any} */ (video), {
    overlay: /** @type {any} */ (overlay),
    picture: "off",
    openLink: (events, way) => {
      server = events;
      links.push(way);
      return {
        sendFrame: () => told.push("frame"),
        sendControl: (type) => told.push(type),
        explain: () => {},
        close: () => told.push("close"),
      };
    },
    onSummary: (summary) => summaries.push(summary),
  });
});

/** @param {number} frame_id @param {import("#extension/protocol/messages.js").Verdict[]} verdicts */
function judge(frame_id, ...verdicts) {
  const faces = verdicts.map((verdict) => ({ verdict }));
  server.onMessage(/** @type {any} */ ({ type: "verdict", frame_id, faces }));
}

/** @returns {[string, number, boolean]} */
function last() {
  const { state, faces, fake } = summaries[summaries.length - 1];
  return [state, faces, fake];
}

test("frames are sent once the link is open, at the rate the server asks for", () => {
  assert.deepEqual(last(), ["connecting", 0, false]);
  assert.equal(session.frames.sending, false);
  server.onState("open", "");
  const welcome = { type: "welcome", sample_hz: 5, limits: { fps: 12 } };
  server.onMessage(/** @type {any} */ (welcome));
  assert.equal(session.frames.sending, true);
  assert.equal(session.frames.rhythm.rate, 5);
  assert.equal(session.frames.mostPerSecond, 12);
  assert.deepEqual(last(), ["watching", 0, false]);
});

test("faces are counted and a fake one is told", () => {
  server.onState("open", "");
  judge(1, "likely_real", "gathering");
  assert.deepEqual(last(), ["watching", 2, false]);
  judge(2, "likely_fake");
  assert.deepEqual(last(), ["watching", 1, true]);
});

test("the same summary is not told twice", () => {
  server.onState("open", "");
  judge(1, "unsure");
  const before = summaries.length;
  judge(2, "unsure");
  assert.equal(summaries.length, before);
});

test("after a seek the verdicts on frames from before are of another place", () => {
  server.onState("open", "");
  session.frames.frameId = 7;
  judge(7, "likely_fake");
  video.dispatchEvent(new Event("seeking"));
  assert.ok(told.includes("seek"));
  assert.deepEqual(last(), ["watching", 0, false]);
  judge(7, "likely_fake");
  assert.deepEqual(last(), ["watching", 0, false]);
  judge(8, "likely_real");
  assert.deepEqual(last(), ["watching", 1, false]);
});

test("a picture that cannot be judged is named until one can", () => {
  server.onState("open", "");
  judge(1, "likely_fake");
  server.onFinding("black");
  assert.deepEqual(last(), ["black", 0, false]);
  judge(2, "likely_fake");
  assert.deepEqual(last(), ["black", 0, false]);
  server.onFinding("picture");
  assert.deepEqual(last(), ["watching", 0, false]);
});

test("a lost link takes the boxes away and is named before a pause", () => {
  server.onState("open", "");
  judge(1, "likely_fake");
  video.paused = true;
  video.dispatchEvent(new Event("pause"));
  assert.deepEqual(last(), ["paused", 1, true]);
  server.onState("no_server", "gone");
  assert.deepEqual(last(), ["no_server", 0, false]);
  assert.equal(summaries[summaries.length - 1].detail, "gone");
});

test("frames stop with the video, with the tab, and start again", () => {
  const running = () => session.frames.running;
  assert.equal(running(), true);
  session.setHidden(true);
  assert.equal(running(), false);
  session.setHidden(false);
  assert.equal(running(), true);
  video.ended = true;
  video.dispatchEvent(new Event("ended"));
  assert.equal(running(), false);
  assert.deepEqual(told.filter((one) => one === "pause" || one === "resume"), ["resume", "pause", "resume", "pause"]);
});

test("answers about a face go to its card, answers about a frame free its place", () => {
  session.frames.inFlight.set(1, 0);
  server.onMessage({ type: "error", code: "explain_too_often", message: "", frame_id: null, track: 1 });
  server.onMessage({ type: "error", code: "bad_frame", message: "", frame_id: 1, track: null });
  assert.deepEqual(told.filter((one) => one.startsWith("heat")), ["heat error"]);
  assert.equal(session.frames.inFlight.size, 0);
});

test("the end is final", () => {
  server.onState("open", "");
  session.end();
  assert.ok(told.includes("close") && told.includes("remove"));
  const before = summaries.length;
  judge(1, "likely_fake");
  server.onState("no_server", "");
  video.dispatchEvent(new Event("seeking"));
  assert.equal(summaries.length, before);
  assert.equal(session.frames.running, false);
});

/** The pixels are kept from extensions, in every way. */
function keep() {
  server.onState("open", "");
  server.onFinding("unreadable");
  server.onFinding("unreadable");
}

test("a video whose pixels are kept is offered, not judged, until a click", () => {
  keep();
  assert.equal(last()[0], "offered");
  assert.deepEqual(links, ["element"], "its link stays");
  judge(1, "likely_fake");
  assert.deepEqual(last(), ["offered", 0, false]);
});

test("after the click it has a link of its own, by the tab's picture, and the old one is not heard", () => {
  keep();
  const before = server;
  session.setPicture("stream");
  assert.deepEqual(links, ["element", "tab"]);
  assert.ok(told.includes("close") && told.includes("filmed"));
  server.onState("open", "");
  before.onState("no_server", "");
  assert.equal(last()[0], "watching");
  judge(1, "likely_fake");
  assert.deepEqual(last(), ["watching", 1, true]);
});

test("single pictures are said to be slow", () => {
  keep();
  session.setPicture("shots");
  assert.ok(told.includes("filmed slowly"));
});

test("the end of the tab's picture is said; another source in the element begins anew", () => {
  keep();
  session.setPicture("stream");
  session.setPicture("lost");
  assert.deepEqual(links, ["element", "tab", "element"]);
  keep();
  assert.equal(last()[0], "tab_lost");
  video.dispatchEvent(new Event("emptied"));
  server.onState("open", "");
  assert.equal(last()[0], "watching");
});
