import assert from "node:assert/strict";
import { test } from "node:test";

import { isOpaque } from "#extension/watch/covers.js";
import { isSamePlace } from "#extension/watch/tab_place.js";

test("what lies on a video hides it only with a ground of its own", () => {
  for (const colour of ["rgb(255, 255, 255)", "rgba(0, 0, 0, 0.95)", "color(srgb 0 0 0)", "color(srgb 1 1 1 / 0.95)"]) {
    assert.ok(isOpaque(colour), colour);
  }
  for (const colour of ["rgba(0, 0, 0, 0)", "rgba(0, 0, 0, 0.6)", "transparent", "", "color(srgb 0 0 0 / 0.5)"]) {
    assert.ok(!isOpaque(colour), colour);
  }
});

test("a place is the same only where nothing of it has moved", () => {
  const rect = { x: 10, y: 20, width: 640, height: 360 };
  const where = { picture: rect, visible: rect, mirrored: false, view: { x: 0, y: 0, width: 1000, height: 700 } };
  assert.ok(isSamePlace(where, { ...where, picture: { ...rect, y: 20.2 } }));
  for (const part of /** @type {const} */ (["picture", "visible", "view"])) {
    assert.ok(!isSamePlace(where, { ...where, [part]: { ...where[part], y: where[part].y + 1 } }), part);
    assert.ok(!isSamePlace(where, { ...where, [part]: { ...where[part], width: where[part].width * 1.1 } }), part);
  }
  assert.ok(!isSamePlace(where, { ...where, mirrored: true }));
});
