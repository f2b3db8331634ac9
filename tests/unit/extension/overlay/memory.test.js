import assert from "node:assert/strict";
import { test } from "node:test";

import { VideoMemory } from "#extension/overlay/memory.js";

/** @typedef {import("#extension/protocol/messages.js").Verdict} Verdict */

/** @param {VideoMemory} memory @param {number} from @param {number} to @param {Verdict[]} verdicts @param {number} [step] */
function watch(memory, from, to, verdicts, step = 0.1) {
  for (let time = from; time < to - 1e-9; time += step) memory.note(time, verdicts);
}

test("stretches are kept by the video's own time", () => {
  const memory = new VideoMemory();
  watch(memory, 0, 12, ["likely_real"]);
  watch(memory, 12, 17, ["likely_real", "likely_fake"]);
  watch(memory, 17, 20, ["unsure"]);
  assert.deepEqual(memory.stretches, [
    { from: 0, to: 12, verdict: "likely_real" },
    { from: 12, to: 17, verdict: "likely_fake" },
    { from: 17, to: 20, verdict: "unsure" },
  ]);
  assert.deepEqual(memory.flagged, [{ from: 12, to: 17, verdict: "likely_fake" }]);
  assert.equal(memory.judgedSeconds, 20);
});

test("a loop that is told as real does not take away what was flagged, nor the other way round", () => {
  const memory = new VideoMemory();
  watch(memory, 0, 4, ["likely_real"]);
  watch(memory, 2, 3, ["likely_fake"]);
  memory.jumped();
  watch(memory, 0, 4, ["likely_real"]);
  assert.deepEqual(memory.flagged, [{ from: 2, to: 3, verdict: "likely_fake" }]);
  assert.equal(memory.judgedSeconds, 4);
});

test("what was not judged is not kept, and ends a stretch", () => {
  const memory = new VideoMemory();
  watch(memory, 0, 2, ["gathering"]);
  watch(memory, 2, 4, ["likely_fake"]);
  watch(memory, 4, 6, ["not_enough_evidence"]);
  watch(memory, 6, 8, []);
  watch(memory, 8, 9, ["likely_fake", "gathering"]);
  assert.deepEqual(memory.flagged.map(({ from, to }) => [from, to]), [[2, 4], [8, 9]]);
});

test("few pictures a second leave no holes, a longer gap does", () => {
  const memory = new VideoMemory();
  watch(memory, 0, 6, ["likely_fake"], 1);
  memory.note(30, ["likely_fake"]);
  assert.deepEqual(memory.stretches.map(({ from, to }) => [from, to]), [[0, 5.5], [30, 30.5]]);
});

test("nothing is drawn across a jump", () => {
  const memory = new VideoMemory();
  memory.note(3, ["likely_fake"]);
  memory.jumped();
  memory.note(4.6, ["likely_fake"]);
  assert.deepEqual(memory.stretches.map(({ from, to }) => [from, to]), [[3, 3.5], [4.5, 5]]);
});

test("flagged stretches that nearly touch are told as one", () => {
  const memory = new VideoMemory();
  watch(memory, 3, 5, ["likely_fake"]);
  watch(memory, 5, 6, ["unsure"]);
  watch(memory, 6, 7, ["likely_fake"]);
  assert.deepEqual(memory.flagged.map(({ from, to }) => [from, to]), [[3, 7]]);
  assert.equal(memory.stretches.length, 3);
});

test("only what is new changes the versions", () => {
  const memory = new VideoMemory();
  watch(memory, 0, 2, ["likely_real"]);
  assert.equal(memory.flagVersion, 0);
  const { version } = memory;
  memory.jumped();
  watch(memory, 0, 2, ["likely_real"]);
  assert.equal(memory.version, version);
  watch(memory, 0, 1, ["likely_fake"]);
  assert.ok(memory.version > version && memory.flagVersion > 0);
});

test("of a stream without end the earliest is forgotten", () => {
  const memory = new VideoMemory();
  for (let hour = 0; hour < 5; hour++) watch(memory, 3600 * hour, 3600 * (hour + 1), ["likely_real"], 0.5);
  assert.equal(memory.judgedSeconds, 4 * 3600);
  assert.deepEqual(memory.stretches, [{ from: 3600, to: 5 * 3600, verdict: "likely_real" }]);
});
