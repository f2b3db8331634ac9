import assert from "node:assert/strict";
import { test } from "node:test";

import { SteadyBox } from "#extension/overlay/steady.js";

/** @typedef {[number, number, number, number]} Box */

/** The same few "random" numbers every time, -1 to 1. @param {number} index */
function noise(index) {
  const value = Math.sin(index * 12.9898) * 43758.5453;
  return 2 * (value - Math.floor(value)) - 1;
}

test("a still face under a trembling detector keeps its box", () => {
  /** @type {Box} */
  const face = [0.4, 0.3, 0.2, 0.3];
  const steady = new SteadyBox(face, 0);
  const lefts = [];
  for (let i = 1; i <= 40; i++) {
    steady.update([face[0] + 0.004 * noise(i), face[1] + 0.004 * noise(i + 99), face[2], face[3]], i / 10);
    lefts.push(steady.at(i / 10)[0]);
  }
  const settled = lefts.slice(10);
  assert.ok(Math.max(...settled) - Math.min(...settled) < 0.004, "the box trembles as the detector does");
});

test("a moving face is met where it is when the box arrives", () => {
  const speed = 0.3;
  const steady = new SteadyBox([0, 0.3, 0.2, 0.3], 0);
  for (let i = 1; i <= 20; i++) steady.update([(speed * i) / 10, 0.3, 0.2, 0.3], i / 10);
  const late = Math.abs(steady.at(2)[0] - speed * 2);
  const met = Math.abs(steady.at(2.1)[0] - speed * 2.1);
  assert.ok(late < 0.02 && met < 0.02, `off by ${late} and ${met}`);
});

test("the prediction ends: a face without news does not sail away", () => {
  const steady = new SteadyBox([0, 0.3, 0.2, 0.3], 0);
  for (let i = 1; i <= 10; i++) steady.update([0.03 * i, 0.3, 0.2, 0.3], i / 10);
  assert.deepEqual(steady.at(1.3), steady.at(60));
});

test("a box of the past changes nothing", () => {
  const steady = new SteadyBox([0.4, 0.3, 0.2, 0.3], 5);
  const before = steady.at(5);
  steady.update([0.1, 0.1, 0.1, 0.1], 5);
  steady.update([0.1, 0.1, 0.1, 0.1], 4);
  assert.deepEqual(steady.at(5), before);
});

test("what is right for one size is right for another", () => {
  /** @param {number} scale */
  const run = (scale) => {
    /** @param {number} left @returns {Box} */
    const box = (left) => [left * scale, 0.3 * scale, 0.2 * scale, 0.3 * scale];
    const steady = new SteadyBox(box(0), 0);
    for (let i = 1; i <= 15; i++) steady.update(box(0.02 * i + 0.002 * noise(i)), i / 10);
    return steady.at(1.55).map((value) => (value / scale).toFixed(9));
  };
  assert.deepEqual(run(1), run(100));
});
