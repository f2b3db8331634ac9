import assert from "node:assert/strict";
import { test } from "node:test";

import { ARM, CLEAR, clearAround, clearSpot, meet } from "#extension/overlay/clear.js";
import { boxAround } from "#extension/overlay/layout.js";

/** Side of the crop that the networks see, in longer sides of the face: stream_server/vision/crop.py. */
const CROP = 1.3;

test("the square that stays clear lies around the face's middle", () => {
  const square = clearAround(boxAround({ x: 100, y: 50, width: 80, height: 120 }));
  for (const [name, value] of Object.entries({ x: 44, y: 14, width: 192, height: 192 })) {
    assert.ok(Math.abs(square[/** @type {"x"} */ (name)] - value) < 1e-9, name);
  }
});

test("no part of a corner lies in a crop, however the face is turned, nor if it moved a little", () => {
  const half = CLEAR / 2;
  for (let degrees = 0; degrees < 90; degrees++) {
    const turn = (degrees * Math.PI) / 180;
    for (let along = 0; along <= 1; along += 0.05) {
      for (const [x, y] of [[half, half - along * ARM * CLEAR], [half - along * ARM * CLEAR, half]]) {
        const across = Math.abs(x * Math.cos(turn) + y * Math.sin(turn));
        const down = Math.abs(y * Math.cos(turn) - x * Math.sin(turn));
        assert.ok(Math.max(across, down) > CROP / 2 + 0.03, `${degrees} degrees, ${along} of the arm`);
      }
    }
  }
});

const stage = { width: 640, height: 360 };
const label = { width: 150, height: 30 };
const everywhere = { above: true, below: true, left: true, right: true };
const nowhere = { above: false, below: false, left: false, right: false };

/** @typedef {import("#extension/overlay/clear.js").Rect} Rect */
/** @param {Rect} square @param {Rect[]} faces @param {typeof nowhere} room @param {Rect[]} labels */
function spot(square, faces = [], room = everywhere, labels = []) {
  return clearSpot(label, square, [square, ...faces], labels, stage, room);
}

test("a label stands above its face, else below, else beside it", () => {
  assert.equal(spot({ x: 200, y: 100, width: 150, height: 150 }).y, 64);
  assert.equal(spot({ x: 200, y: 10, width: 150, height: 150 }).y, 166);
  const tall = { x: 200, y: 5, width: 340, height: 340 };
  assert.deepEqual(spot(tall), { x: 44, y: 5, ...label });
});

test("a label never stands on another face or label", () => {
  const square = { x: 200, y: 150, width: 150, height: 150 };
  const other = { x: 180, y: 20, width: 110, height: 110 };
  const found = spot(square, [other]);
  assert.ok(!meet(found, other) && !meet(found, square));
  const again = spot(square, [other], everywhere, [found]);
  assert.ok(!meet(again, found) && !meet(again, other) && !meet(again, square));
});

test("a face that fills the picture has its label outside of it, where the window has room", () => {
  const square = { x: 100, y: -40, width: 440, height: 440 };
  assert.equal(spot(square).y, stage.height + 6);
  assert.equal(spot(square, [], { ...nowhere, above: true }).y, -36);
  assert.deepEqual(spot(square, [], { ...nowhere, right: true }), { x: stage.width + 6, y: 0, ...label });
  assert.deepEqual(spot(square, [], { ...nowhere, left: true }), { x: -label.width - 6, y: 0, ...label });
  const corner = spot({ ...square, x: 60 }, [], nowhere);
  assert.deepEqual(corner, { x: 490, y: 330, ...label });
});
