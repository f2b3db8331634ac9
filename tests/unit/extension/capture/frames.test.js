import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { FrameTaker } from "#extension/capture/frames.js";

/** @type {any} */
let video;
/** @type {string[]} */
let told;
/** @type {FrameTaker} */
let taker;

beforeEach(() => {
  video = { mediaKeys: null, playbackRate: 1, seeking: false };
  told = [];
  taker = new FrameTaker(video, {
    onPlace: () => told.push("place"),
    findPlace: () => null,
    onFrame: () => {},
    onJump: () => told.push("jump"),
    onFinding: (finding) => told.push(finding),
    onStill: () => {},
  });
  taker.sending = true;
});

/** @param {number[]} times media times, seconds @param {number} [rate] of playback @returns {number[]} those that are taken */
function taken(times, rate = 1) {
  const found = [];
  for (const time of times) {
    if (!taker.presented((1000 * time) / rate, time)) continue;
    found.push(time);
    taker.inFlight.clear();
  }
  return found;
}

/** @param {number} fps @param {number} seconds */
function frames(fps, seconds) {
  return Array.from({ length: fps * seconds }, (_, index) => index / fps);
}

for (const fps of [24, 25, 30, 60]) {
  test(`ten samples a second of a video of ${fps} frames a second`, () => {
    const beats = taken(frames(fps, 10)).map((time) => Math.floor(10 * time + 0.25));
    assert.deepEqual([...new Set(beats)].slice(0, 100), Array.from({ length: 100 }, (_, beat) => beat));
    assert.equal(new Set(beats).size, beats.length, "two samples for one beat");
  });
}

test("a fast video is sampled by its own time, within what the server takes", () => {
  assert.equal(taken(frames(30, 8), 2).length, 80);
  taker.mostPerSecond = 5;
  taker.restart();
  assert.ok(taken(frames(30, 8), 2).length <= (8 / 2) * 5 * 1.2);
});

test("nothing is taken while nobody is there to take it", () => {
  taker.sending = false;
  assert.deepEqual(taken(frames(30, 1)), []);
});

test("no more than a few frames without an answer", () => {
  for (let id = 1; id <= 3; id++) taker.inFlight.set(id, 0);
  assert.equal(taker.presented(100, 1), false);
  taker.answered(1);
  assert.equal(taker.presented(110, 1), true);
});

test("an answer covers the frames before it, and time covers those that were dropped", () => {
  for (let id = 1; id <= 3; id++) taker.inFlight.set(id, 0);
  taker.answered(2);
  assert.deepEqual([...taker.inFlight.keys()], [3]);
  taker.presented(1501, 1);
  assert.deepEqual([...taker.inFlight.keys()], []);
});

test("time that goes back is a jump, and its frame is taken", () => {
  assert.deepEqual(taken([5, 5.1]), [5, 5.1]);
  assert.equal(taker.presented(6000, 1), true);
  assert.deepEqual(told, ["jump"]);
});

test("encrypted video is named and not taken", () => {
  video.mediaKeys = {};
  assert.deepEqual(taken([1]), []);
  assert.deepEqual(told, ["protected"]);
});

test("of the tab's picture large videos are cut out as well, and a frame that is missed may have been the whole", async () => {
  /** @type {any[]} */
  const asked = [];
  taker.way = "tab";
  taker.fovea.parts = 16;
  const size = { width: 1600, height: 900 };
  taker.events.findPlace = () => /** @type {any} */ ({ place: {}, size });
  taker.events.onPlace = (header) => asked.push(header);
  const face = { track: 1, box: [0.4, 0.4, 0.05, 0.09] };
  for (const time of [0, 0.1, 0.2]) {
    await taker.take(null, 1000 * time, time);
    taker.fovea.saw(/** @type {any} */ ({ faces: [face], media_time: time }));
  }
  const [first, , third] = asked.map(({ rect }) => rect.parts);
  assert.deepEqual(first, [{ of: [0, 0, 1600, 900] }]);
  assert.ok(third.length === 1 && third[0].of[2] < 300, "the face alone");
  taker.missed(3);
  await taker.take(null, 300, 0.3);
  assert.deepEqual(asked[3].rect.parts[1].of, [0, 0, 1600, 900]);
});
