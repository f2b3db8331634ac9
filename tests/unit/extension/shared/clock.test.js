import assert from "node:assert/strict";
import { test } from "node:test";

import { speedOf, timeNow, timeOfPicture } from "#extension/shared/clock.js";

/** @param {object} fields @returns {any} */
const video = (fields) => fields;

test("a file goes by its own clock and speed", () => {
  const file = video({ srcObject: null, currentTime: 12, playbackRate: 2 });
  assert.deepEqual([timeOfPicture(file, 11.96), timeNow(file), speedOf(file)], [11.96, 12, 2]);
});

test("a stream goes by the page's clock, whatever its browser and its element say", () => {
  const [one, other] = [video({ srcObject: {}, currentTime: 900, playbackRate: 2 }), video({ srcObject: {}, currentTime: 0 })];
  const before = performance.now() / 1000;
  const told = [timeOfPicture(one, 0), timeNow(one), timeNow(other), timeOfPicture(other, 37)];
  const after = performance.now() / 1000;
  assert.deepEqual([before, ...told, after], [before, ...told, after].sort((a, b) => a - b));
  assert.equal(speedOf(one), 1);
});
