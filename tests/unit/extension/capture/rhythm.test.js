import assert from "node:assert/strict";
import { test } from "node:test";

import { Rhythm } from "#extension/capture/rhythm.js";
import { AGREED } from "../agreed.js";

for (const { fps, due } of AGREED.rhythms) {
  test(`${fps} frames a second: the frames that the server samples`, () => {
    const rhythm = new Rhythm(AGREED.sample_hz);
    const taken = [];
    for (let frame = 0; frame < Math.round(2 * fps); frame++) {
      const time = frame / fps;
      assert.equal(rhythm.isDue(time), time >= rhythm.next);
      if (!rhythm.isDue(time)) continue;
      rhythm.take(time);
      taken.push(frame);
    }
    assert.deepEqual(taken, due);
  });
}

test("a beat that no frame came for is left out", () => {
  const rhythm = new Rhythm(10);
  rhythm.take(0.1);
  assert.equal(rhythm.isDue(0.16), false);
  rhythm.take(0.52);
  assert.equal(rhythm.isDue(0.56), false);
  assert.equal(rhythm.isDue(0.58), true);
});

test("after a reset any time is due", () => {
  const rhythm = new Rhythm(10);
  rhythm.take(100);
  assert.equal(rhythm.isDue(5), false);
  rhythm.reset();
  assert.equal(rhythm.next, -Infinity);
  assert.equal(rhythm.isDue(5), true);
});
