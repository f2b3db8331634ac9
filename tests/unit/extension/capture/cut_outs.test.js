import assert from "node:assert/strict";
import { test } from "node:test";

import { cutOutOf, holds, merged, pixelsOf, serves, stacked } from "#extension/capture/cut_outs.js";

const VIDEO = { width: 1920, height: 1080 };
const FACE = { x: 960, y: 540, side: 120 };

/** @typedef {import("#extension/capture/cut_outs.js").CutOut} CutOut */

test("room around a face, at the blocks of the video, at its own resolution", () => {
  const cutOut = cutOutOf(FACE, 0, VIDEO);
  assert.deepEqual(cutOut, { x: 856, y: 440, width: 208, height: 208, scale: 1, side: 120 });
  assert.ok(holds(cutOut, FACE, 1.4, VIDEO));
  assert.ok(cutOutOf(FACE, 200, VIDEO).width > 208, "a fast face needs more room");
  assert.ok(cutOutOf(FACE, 1e6, VIDEO).width < 2.5 * FACE.side, "but not for ever");
});

test("large faces are sent as large as the networks look at", () => {
  const cutOut = cutOutOf({ ...FACE, side: 368 }, 0, VIDEO);
  assert.equal(cutOut.scale, 0.5);
  assert.ok(pixelsOf(cutOut) <= 280 ** 2);
});

test("cut-outs stay within the video, at even pixels", () => {
  for (const [x, y] of [[2, 5], [1919, 1078], [10, 1080]]) {
    const { x: left, y: top, width, height } = cutOutOf({ x, y, side: 200 }, 0, { width: 1919, height: 1079 });
    assert.ok(left >= 0 && top >= 0 && left + width <= 1919 && top + height <= 1079);
    assert.ok([left, top, width, height].every((length) => length % 2 === 0));
  }
  const { height } = cutOutOf({ x: 960, y: 540, side: 900 }, 0, VIDEO);
  assert.equal(height, 1080);
});

test("a cut-out serves until its face comes to the edge, or grows", () => {
  const cutOut = cutOutOf(FACE, 0, VIDEO);
  assert.ok(serves(cutOut, { ...FACE, x: 966 }, VIDEO));
  assert.ok(!serves(cutOut, { ...FACE, x: 1000 }, VIDEO));
  assert.ok(!serves(cutOut, { ...FACE, side: 155 }, VIDEO));
  assert.ok(!serves(cutOut, { ...FACE, side: 90 }, VIDEO));
  const edge = { x: 60, y: 540, side: 120 };
  assert.ok(serves(cutOutOf(edge, 0, VIDEO), { ...edge, x: 20 }, VIDEO), "beyond the video there is nothing");
});

test("faces side by side are one cut-out where that is less, and two where not", () => {
  const near = [cutOutOf(FACE, 0, VIDEO), cutOutOf({ ...FACE, x: 1040 }, 0, VIDEO)];
  assert.equal(merged(near).length, 1);
  const [one] = merged(near);
  assert.deepEqual([one.x, one.width], [856, 288]);
  const far = [cutOutOf(FACE, 0, VIDEO), cutOutOf({ ...FACE, x: 1500 }, 0, VIDEO)];
  assert.deepEqual(merged(far), far);
});

test("they lie below each other, each from a block on", () => {
  /** @type {CutOut[]} */
  const cutOuts = [
    { x: 16, y: 32, width: 200, height: 200, scale: 0.5, side: 120 },
    { x: 0, y: 0, width: 1920, height: 1080, scale: 1 / 3, side: 0 },
  ];
  assert.deepEqual(stacked(cutOuts), {
    width: 640,
    height: 472,
    parts: [
      { of: [16, 32, 200, 200], at: [0, 0, 100, 100] },
      { of: [0, 0, 1920, 1080], at: [0, 112, 640, 360] },
    ],
  });
});
