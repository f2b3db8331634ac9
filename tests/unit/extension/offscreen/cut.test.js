import assert from "node:assert/strict";
import { test } from "node:test";

import { windowIn } from "#extension/offscreen/cut.js";

test("a picture of the window's shape holds the window alone", () => {
  assert.deepEqual(windowIn({ width: 2000, height: 1400 }, { width: 1000, height: 700 }), {
    x: 0,
    y: 0,
    width: 2000,
    height: 1400,
    scale: 2,
  });
});

test("what is left over lies on both sides alike", () => {
  const wide = windowIn({ width: 3840, height: 2160 }, { width: 1000, height: 700 });
  assert.equal(wide.scale, 2160 / 700);
  assert.ok(Math.abs(wide.x - 377.14) < 0.01 && wide.y === 0);
  const tall = windowIn({ width: 1000, height: 2000 }, { width: 500, height: 500 });
  assert.deepEqual([tall.x, tall.y, tall.scale], [0, 500, 2]);
});
