import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Pace } from "#extension/watch/pace.js";
import { VideoSession } from "#extension/watch/session.js";

/** @typedef {import("#extension/shared/states.js").Summary} Summary */
/** @typedef {import("#extension/transport/link.js").LinkEvents} LinkEvents */

class Video extends EventTarget {
  paused = false;
  ended = false;
  readyState = 0;
  currentSrc = "http://site.test/one.mp4";
  duration = 12;
  videoWidth = 640;
  videoHeight = 360;
  srcObject = null;
  seeking = false;
  requestVideoFrameCallback() {
    return 1;
  }
  cancelVideoFrameCallback() {}
}

/** @type {Video} */
let video;
Reflect.set(globalThis, "location", { href: "http://site.test/feed" });
/** @type {LinkEvents} the other end of the link */
let server;
/** @type {string[]} what the link and the overlay were told */
let told;
/** @type {string[]} the ways for which links were opened */
let links;
/** @type {Summary[]} */
let summaries;
/** @type {any[]} the memories that the overlay was given */
let remembered;
/** @type {VideoSession} */
let session;
/** @type {any} */
let overlay;

beforeEach(() => {
  video = new Video();
  told = [];
  links = [];
  summaries = [];
  remembered = [];
  const heat = {
    connect: () => {},
    answered: (/** @type {{type: string}} */ { type }) => told.push(`heat ${type}`),
  };
  overlay = {
    card: { heat },
    show: (/** @type {{faces: object[]}} */ { faces }) => faces,
    clear: () => told.push("clear"),
    settle: () => told.push("settle"),
    layout: () => {},
    setState: () => {},
    isClear: () => true,
    setFilmed: (/** @type {boolean} */ filmed, /** @type {boolean} */ slowly) =>
      told.push(filmed ? `filmed${slowly ? " slowly" : ""}` : "not filmed"),
    remember: (/** @type {unknown} */ memory) => remembered.push(memory),
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
  assert.deepEqual(last(), ["open", 0, false]);
  judge(1);
  assert.deepEqual(last(), ["watching", 0, false]);
});

test("faces are counted and a fake one is told", () => {
  server.onState("open", "");
  judge(1, "likely_real", "gathering");
  assert.deepEqual(last(), ["watching", 2, false]);
  judge(2, "likely_fake");
  assert.deepEqual(last(), ["watching", 1, true]);
});

test("until the first answer it looks, and only then is there no face", () => {
  const states = () => summaries.map(({ state }) => state);
  video.readyState = 4;
  server.onState("open", "");
  server.onMessage(/** @type {any} */ ({ type: "welcome", sample_hz: 10, limits: {}, accuracy: null }));
  server.onMessage(/** @type {any} */ ({ type: "status", degraded: false, rate: null }));
  assert.ok(!states().includes("watching"));
  assert.equal(states().at(-1), "open");
  judge(0);
  assert.equal(states().at(-1), "watching");
  video.dispatchEvent(new Event("seeking"));
  assert.equal(states().at(-1), "open", "what was seen before is of another place");
});

test("a server that has more to do than it can is told as long as it lasts", () => {
  server.onState("open", "");
  server.onMessage(/** @type {any} */ ({ type: "welcome", sample_hz: 5, limits: {}, accuracy: null }));
  assert.equal(summaries.at(-1)?.looks, null);
  server.onMessage(/** @type {any} */ ({ type: "status", degraded: true, rate: 2.6 }));
  assert.deepEqual(summaries.at(-1)?.looks, { rate: 2.6, full: 5 });
  assert.deepEqual(overlay.card.busy, { rate: 2.6, full: 5 });
  server.onMessage(/** @type {any} */ ({ type: "status", degraded: false, rate: null }));
  assert.equal(summaries.at(-1)?.looks, null);
  server.onMessage(/** @type {any} */ ({ type: "status", degraded: true, rate: 3 }));
  server.onState("no_server", "");
  assert.deepEqual([summaries.at(-1)?.looks, overlay.card.busy], [null, null]);
});

test("a warning without an answer for long is over, and nothing is said of faces", () => {
  video.dispatchEvent(new Event("play"));
  server.onState("open", "");
  judge(1, "likely_fake");
  assert.deepEqual(last(), ["watching", 1, true]);
  overlay.onStale();
  assert.deepEqual(last(), ["open", 0, false]);
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
  assert.deepEqual(last(), ["open", 0, false]);
  judge(7, "likely_fake");
  assert.deepEqual(last(), ["open", 0, false]);
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
  assert.deepEqual(last(), ["open", 0, false]);
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

test("another source has another memory, and the first comes back with its own", () => {
  const show = (/** @type {string} */ address, /** @type {number} */ duration) => {
    video.dispatchEvent(new Event("emptied"));
    assert.equal(remembered.at(-1), null, "the last one's memory stays on the next");
    Object.assign(video, { currentSrc: address, duration });
    video.dispatchEvent(new Event("loadedmetadata"));
    return remembered.at(-1);
  };
  const first = show("http://site.test/one-720p.mp4?token=a", 12);
  const advert = show("http://ads.test/advert.mp4", 5);
  assert.ok(first && advert && first !== advert);
  assert.equal(show("http://site.test/one-360p.mp4?token=b", 12.04), first);
});

/** A tile that was judged, and that the page takes apart. */
function takeApart() {
  const track = { id: "a", readyState: "live", getSettings: () => ({}) };
  Object.assign(video, { srcObject: { getVideoTracks: () => [track] }, isConnected: true });
  video.dispatchEvent(new Event("loadedmetadata"));
  server.onState("open", "");
  judge(1, "likely_fake");
  Object.assign(video, { srcObject: null, isConnected: false, paused: true });
  video.dispatchEvent(new Event("emptied"));
}

test("a stream that is taken from a tile goes on in the next one, with what was found", () => {
  takeApart();
  const next = new Video();
  const over = { ...overlay, inherit: () => told.push("inherit") };
  session.moveTo(/** @type {any} */ (next), /** @type {any} */ (over));
  assert.ok(told.includes("inherit") && session.frames.running);
  assert.ok(!told.includes("seek"), "the server was told to forget");
  assert.deepEqual(last(), ["watching", 1, true]);
  next.dispatchEvent(new Event("loadstart"));
  assert.ok(!told.includes("seek"), "what was put off is of the element before");
});

test("a tile that was taken apart and gets another stream begins anew", () => {
  takeApart();
  assert.deepEqual(last(), ["watching", 1, true]);
  video.dispatchEvent(new Event("loadstart"));
  assert.equal(told.filter((one) => one === "seek").length, 1);
  assert.equal(last()[1], 0);
  video.dispatchEvent(new Event("loadstart"));
  assert.equal(told.filter((one) => one === "seek").length, 1);
});

test("a stream that is taken from a tile in the page is over at once", () => {
  takeApart();
  Object.assign(video, { isConnected: true });
  video.dispatchEvent(new Event("emptied"));
  assert.ok(told.includes("seek"));
});

test("what no element shows is hidden with its marks, and is back", () => {
  /** @type {boolean[]} */
  const away = [];
  overlay.setAway = (/** @type {boolean} */ one) => away.push(one);
  session.setGone(true);
  assert.equal(session.frames.running, false);
  session.setGone(false);
  assert.equal(session.frames.running, true);
  assert.deepEqual(away, [true, false]);
});

test("the length of what a page feeds may come late, and tells which video it is", () => {
  /** @param {number} duration */
  const grow = (duration) => {
    Object.assign(video, { duration, readyState: 1 });
    video.dispatchEvent(new Event("durationchange"));
    return session.memory;
  };
  video.dispatchEvent(new Event("loadedmetadata"));
  const first = session.memory;
  first?.note(1, ["likely_fake"]);
  assert.equal(grow(13), first, "a live video that grows is still the same");
  video.dispatchEvent(new Event("emptied"));
  video.duration = Infinity;
  video.dispatchEvent(new Event("loadedmetadata"));
  assert.notEqual(session.memory, first);
  assert.equal(grow(13), first);
});

test("without a place there is no link and nothing is taken, and the turn is told", () => {
  server.onState("open", "");
  judge(1, "likely_real");
  assert.equal(session.isSettled, true);
  session.setPlace(false);
  session.setTurn("judging 4 of 9");
  assert.deepEqual(last(), ["waiting", 0, false]);
  assert.equal(summaries.at(-1)?.detail, "judging 4 of 9");
  assert.equal(session.frames.running, false);
  assert.ok(told.includes("close"));
  assert.equal(session.isSettled, false);
  session.setPlace(true);
  assert.deepEqual(last(), ["connecting", 0, false]);
  assert.equal(session.frames.running, true);
});

test("a paused video that gives up its place keeps its labels until it plays", () => {
  server.onState("open", "");
  judge(1, "likely_fake");
  video.paused = true;
  video.dispatchEvent(new Event("pause"));
  session.setPlace(false);
  assert.deepEqual(last(), ["paused", 1, true]);
  video.paused = false;
  video.dispatchEvent(new Event("play"));
  assert.deepEqual(last(), ["waiting", 0, false]);
});

test("a server that is behind is asked less often, and that is said", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  let now = 0;
  context.mock.method(performance, "now", () => now);
  session.pace = new Pace();
  server.onState("open", "");
  for (let id = 1; id < 60; id++) {
    now += 100;
    const captured_at = performance.timeOrigin + now;
    session.frames.events.onFrame(/** @type {any} */ ({ captured_at }), /** @type {any} */ ({}));
  }
  assert.equal(session.frames.mostPerSecond, 5);
  judge(59);
  assert.deepEqual(last(), ["busy", 0, false]);
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
  session.frames.events.onFinding("unreadable");
}

test("where the pixels can be taken, what is still said of pictures before does not end that", () => {
  server.onState("open", "");
  server.onFinding("unreadable");
  assert.equal(session.frames.way, "pixels");
  server.onFinding("unreadable");
  assert.equal(session.frames.way, "pixels");
  assert.equal(last()[0], "open");
  server.onFinding("black");
  assert.equal(last()[0], "black");
});

test("a frame that keeps extensions out is told as that, not as pixels that are kept", () => {
  server.onState("open", "");
  server.onFinding("sandboxed");
  assert.equal(last()[0], "offered_closed");
  session.setPicture("none");
  assert.equal(last()[0], "sandboxed");
});

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
  assert.equal(last()[0], "open");
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
  assert.equal(last()[0], "open");
});
