import assert from "node:assert/strict";
import { test } from "node:test";

import { boxAround, faceWithin, intersect, pictureRect } from "#extension/overlay/layout.js";

const CONTENT = { x: 10, y: 20, width: 400, height: 400 };

/** @type {[string, string, string, import("#extension/overlay/layout.js").Rect][]} of a picture of 200 by 100 */
const FITS = [
  ["fill", "fill", "50% 50%", CONTENT],
  ["contain, in the middle", "contain", "50% 50%", { x: 10, y: 120, width: 400, height: 200 }],
  ["contain, at the bottom", "contain", "0px 100%", { x: 10, y: 220, width: 400, height: 200 }],
  ["contain, moved by pixels", "contain", "0px 30px", { x: 10, y: 50, width: 400, height: 200 }],
  ["cover reaches beyond", "cover", "50% 50%", { x: -190, y: 20, width: 800, height: 400 }],
  ["none", "none", "0% 0%", { x: 10, y: 20, width: 200, height: 100 }],
  ["scale-down leaves small ones", "scale-down", "50% 50%", { x: 110, y: 170, width: 200, height: 100 }],
  ["a position that is no length", "contain", "calc(1px) bottom", { x: 10, y: 120, width: 400, height: 200 }],
];

for (const [what, fit, position, expected] of FITS) {
  test(`object-fit: ${what}`, () => {
    assert.deepEqual(pictureRect(CONTENT, 200, 100, fit, position), expected);
  });
}

test("scale-down shrinks large pictures", () => {
  const { width, height } = pictureRect(CONTENT, 800, 400, "scale-down", "50% 50%");
  assert.deepEqual([width, height], [400, 200]);
});

test("before the video's size is known the picture fills the element", () => {
  assert.deepEqual(pictureRect(CONTENT, 0, 0, "contain", "50% 50%"), CONTENT);
});

test("intersections, empty ones included", () => {
  const a = { x: 0, y: 0, width: 10, height: 10 };
  assert.deepEqual(intersect(a, { x: 5, y: -5, width: 10, height: 10 }), { x: 5, y: 0, width: 5, height: 5 });
  const apart = intersect(a, { x: 20, y: 0, width: 5, height: 5 });
  assert.equal(apart.width * apart.height, 0);
});

test("the box leaves air around the face on every side, and gives the face back", () => {
  const face = { x: 100, y: 50, width: 80, height: 120 };
  const box = boxAround(face);
  const air = face.x - box.x;
  assert.ok(air > 0);
  assert.deepEqual(
    [box.y, box.width, box.height].map((value) => value.toFixed(6)),
    [face.y - air, face.width + 2 * air, face.height + 2 * air].map((value) => value.toFixed(6)),
  );
  for (const [name, value] of Object.entries(faceWithin(box))) {
    assert.ok(Math.abs(value - face[/** @type {"x"} */ (name)]) < 1e-9, `${name} is ${value}`);
  }
});
