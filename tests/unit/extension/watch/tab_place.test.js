import assert from "node:assert/strict";
import { test } from "node:test";

import { isOpaque } from "#extension/watch/tab_place.js";

test("what lies on a video hides it only with a ground of its own", () => {
  for (const colour of ["rgb(255, 255, 255)", "rgba(0, 0, 0, 0.95)", "color(srgb 0 0 0)", "color(srgb 1 1 1 / 0.95)"]) {
    assert.ok(isOpaque(colour), colour);
  }
  for (const colour of ["rgba(0, 0, 0, 0)", "rgba(0, 0, 0, 0.6)", "transparent", "", "color(srgb 0 0 0 / 0.5)"]) {
    assert.ok(!isOpaque(colour), colour);
  }
});
