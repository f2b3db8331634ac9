import assert from "node:assert/strict";
import { test } from "node:test";

import { timeInVideo } from "#extension/capture/media_time.js";

test("a frame's time is as it came while the video plays its first round", () => {
  for (const [mediaTime, currentTime] of [[0, 0.04], [3.2, 3.25], [11.96, 11.99], [9.08, 9.72]]) {
    assert.equal(timeInVideo(mediaTime, { currentTime, duration: 12 }), mediaTime);
  }
});

test("rounds that the browser has counted on are taken off", () => {
  const near = (/** @type {number} */ a, /** @type {number} */ b) => assert.ok(Math.abs(a - b) < 1e-6, `${a} ${b}`);
  near(timeInVideo(12.2, { currentTime: 0.14, duration: 12 }), 0.2);
  near(timeInVideo(24.48, { currentTime: 0.44, duration: 12 }), 0.48);
  near(timeInVideo(351.4, { currentTime: 3.37, duration: 12 }), 3.4);
  assert.equal(timeInVideo(23.96, { currentTime: 0.01, duration: 12 }), 0, "the last frame is still on the screen");
});

test("a live stream has no rounds", () => {
  for (const duration of [Infinity, NaN, 0]) {
    assert.equal(timeInVideo(351.4, { currentTime: 2, duration }), 351.4);
  }
});
