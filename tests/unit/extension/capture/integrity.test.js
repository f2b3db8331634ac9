import assert from "node:assert/strict";
import { test } from "node:test";

import { PATTERN_SIDE, matchesPattern, patternAt } from "#extension/capture/integrity.js";

/** The pattern as a faithful canvas gives it back. */
function faithful() {
  const pixels = new Uint8ClampedArray(4 * PATTERN_SIDE ** 2);
  for (let y = 0; y < PATTERN_SIDE; y++) {
    for (let x = 0; x < PATTERN_SIDE; x++) {
      pixels.set([...patternAt(x - (x % 2), y - (y % 2)), 255], 4 * (y * PATTERN_SIDE + x));
    }
  }
  return pixels;
}

test("every value is one that a pixel can have", () => {
  for (let y = 0; y < PATTERN_SIDE; y += 2) {
    for (let x = 0; x < PATTERN_SIDE; x += 2) {
      const colour = patternAt(x, y);
      assert.ok(colour.every((value) => Number.isInteger(value) && value >= 0 && value <= 255), String(colour));
    }
  }
});

test("the upper half is smooth, the lower half noisy", () => {
  /** @param {number} y @returns {number} the most that a row changes from one cell to the next */
  const steepest = (y) => {
    let most = 0;
    for (let x = 2; x < PATTERN_SIDE; x += 2) most = Math.max(most, Math.abs(patternAt(x, y)[0] - patternAt(x - 2, y)[0]));
    return most;
  };
  assert.ok(steepest(4) <= 16);
  assert.ok(steepest(PATTERN_SIDE - 4) > 100);
});

test("what comes back as it was drawn is faithful", () => {
  assert.equal(matchesPattern(faithful()), true);
});

test("a single value that is off by one is not", () => {
  for (let at = 0; at < 4 * PATTERN_SIDE ** 2; at += 401) {
    if (at % 4 === 3) continue; // the canvas has no transparency
    const pixels = faithful();
    pixels[at] += pixels[at] < 255 ? 1 : -1;
    assert.equal(matchesPattern(pixels), false, `at ${at}`);
  }
});
