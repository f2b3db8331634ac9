import assert from "node:assert/strict";
import { test } from "node:test";

import { drawStrip } from "#extension/overlay/strip.js";

/** @typedef {import("#extension/overlay/memory.js").Stretch} Stretch */

/** @param {Stretch[]} stretches @param {number} [to] @returns {{kind: string, left: number, right: number, tall: number}[]} */
function drawn(stretches, to = 100) {
  /** @type {any[]} */
  const found = [];
  /** @type {number[]} */
  let dash = [];
  let left = 0;
  const context = {
    scale() {},
    beginPath() {},
    fill() {},
    setLineDash: (/** @type {number[]} */ one) => (dash = one),
    moveTo: (/** @type {number} */ x) => (left = x),
    lineTo(/** @type {number} */ x) {
      this.reached = x;
    },
    reached: 0,
    lineWidth: 0,
    stroke() {
      found.push({ kind: `dashed ${dash}`, left, right: this.reached, tall: this.lineWidth });
    },
    fillRect: (/** @type {number} */ x, /** @type {number} */ _, /** @type {number} */ width, /** @type {number} */ tall) =>
      found.push({ kind: "block", left: x, right: x + width, tall }),
  };
  const canvas = { clientWidth: 200, clientHeight: 26, width: 0, height: 0, getContext: () => context };
  drawStrip(/** @type {any} */ (canvas), { from: 0, to, at: 50, stretches, clock: "media" });
  return found;
}

test("every verdict has a shape of its own, where it was", () => {
  const [, real, unsure, fake, head] = drawn([
    { from: 0, to: 10, verdict: "likely_real" },
    { from: 10, to: 20, verdict: "unsure" },
    { from: 20, to: 40, verdict: "likely_fake" },
  ]);
  assert.deepEqual([real.left, real.right, unsure.left, unsure.right, fake.left, fake.right], [0, 20, 20, 40, 40, 80]);
  assert.ok(real.tall < unsure.tall && unsure.tall < fake.tall);
  assert.match(unsure.kind, /^dashed \d/);
  assert.deepEqual([real.kind, fake.kind], ["block", "block"]);
  assert.equal((head.left + head.right) / 2, 100, "the playhead is not where the video is");
});

test("a moment in a long video can still be seen, at its end too", () => {
  const [, fake] = drawn([{ from: 9999.5, to: 10_000, verdict: "likely_fake" }], 10_000);
  assert.ok(fake.right - fake.left >= 2 && fake.right <= 200);
});

test("a video without length is not drawn", () => {
  assert.deepEqual(drawn([], 0), []);
});
