import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { STILL_AFTER_MS, Stillness } from "#extension/capture/stillness.js";

test("a stream without a new picture is told as still, once, until one comes", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  /** @type {boolean[]} */
  const told = [];
  const stillness = new Stillness((still) => told.push(still));
  stillness.begin();
  mock.timers.tick(STILL_AFTER_MS - 1);
  stillness.came();
  mock.timers.tick(STILL_AFTER_MS - 1);
  assert.deepEqual(told, []);
  mock.timers.tick(1);
  mock.timers.tick(STILL_AFTER_MS);
  assert.deepEqual(told, [true]);
  stillness.came();
  stillness.came();
  assert.deepEqual(told, [true, false]);
  stillness.end();
  mock.timers.tick(10 * STILL_AFTER_MS);
  assert.deepEqual(told, [true, false], "nobody waits for a picture any more");
  mock.timers.reset();
});
