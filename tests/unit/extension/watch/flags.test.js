import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { VideoMemory } from "#extension/overlay/memory.js";
import { FlagWatch } from "#extension/watch/flags.js";

/** @typedef {import("#extension/shared/flag.js").Flag} Flag */
/** @typedef {import("#extension/protocol/messages.js").Verdict} Verdict */

/** @type {{flag: Flag, begins: boolean}[]} */
let told;
/** @type {FlagWatch} */
let watch;
const memory = new VideoMemory();

beforeEach(() => {
  told = [];
  watch = new FlagWatch((flag, begins) => told.push({ flag, begins }));
});

/** @param {number} time @param {Verdict} verdict @param {number|null} probability @param {VideoMemory|null} of */
function judge(time, verdict, probability = 0.9, of = memory) {
  watch.judged([{ verdict: "likely_real" }, { verdict, face: { probability } }], time, of, 60);
}

/** @returns {[number, number, boolean][]} */
function spans() {
  return told.map(({ flag, begins }) => [flag.from, flag.to, begins]);
}

test("a stretch is told when it begins, every two seconds, and at its end", () => {
  for (let time = 10; time <= 15; time++) judge(time, "likely_fake", time / 20);
  for (let time = 16; time <= 19; time++) judge(time, "unsure");
  assert.deepEqual(spans(), [
    [10, 10, true],
    [10, 12, false],
    [10, 14, false],
    [10, 15, false],
  ]);
  assert.deepEqual([...new Set(told.map(({ flag }) => flag.id))].length, 1);
  assert.equal(told.at(-1)?.flag.probability, 0.75);
  assert.equal(told[0].flag.length, 60);
});

test("a moment of doubt ends nothing, a longer one and a way back do", () => {
  judge(10, "likely_fake");
  judge(12, "unsure");
  judge(13, "likely_fake");
  judge(17, "likely_fake");
  judge(3, "likely_fake");
  const begun = told.filter(({ begins }) => begins).map(({ flag }) => flag.from);
  assert.deepEqual(begun, [10, 17, 3]);
});

test("nothing is told of what is not likely fake", () => {
  for (const verdict of /** @type {const} */ (["gathering", "unsure", "likely_real", "not_enough_evidence"])) {
    judge(10, verdict);
  }
  watch.end();
  assert.deepEqual(told, []);
});

test("an end tells what has come since, once", () => {
  judge(10, "likely_fake");
  judge(11, "likely_fake");
  watch.end();
  watch.end();
  assert.deepEqual(spans(), [
    [10, 10, true],
    [10, 11, false],
  ]);
});

test("videos are told apart within a document, and known again", () => {
  const other = new VideoMemory("day");
  for (const of of [memory, other, memory, null]) {
    judge(10, "likely_fake", null, of);
    watch.end();
  }
  const videos = told.map(({ flag }) => flag.video);
  assert.equal(videos[0], videos[2]);
  assert.equal(new Set(videos).size, 3);
  assert.equal(videos[3], 0);
  assert.deepEqual(told.map(({ flag }) => flag.clock), ["media", "day", "media", "media"]);
  assert.equal(new Set(told.map(({ flag }) => flag.document)).size, 1);
  assert.equal(new Set(told.map(({ flag }) => flag.id)).size, 4);
  assert.equal(told[0].flag.probability, null);
});
