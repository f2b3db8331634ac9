import assert from "node:assert/strict";
import { test } from "node:test";

import { FrameFinder, moved } from "#extension/offscreen/frame_place.js";

const view = { x: 0, y: 0, width: 1000, height: 700 };
const own = { x: 0, y: 0, width: 400, height: 300 };
const place = { picture: own, visible: own, covers: [], mirrored: false, rate: 1, view: own };

test("a video moves with its frame, and is scaled with it", () => {
  const frame = { rect: { x: 100, y: 50, width: 800, height: 600 }, visible: { x: 100, y: 50, width: 800, height: 600 }, view };
  const inner = { x: 10, y: 20, width: 100, height: 50 };
  const found = moved({ ...place, picture: inner, visible: inner, covers: [inner] }, frame);
  assert.deepEqual(found?.picture, { x: 120, y: 90, width: 200, height: 100 });
  assert.deepEqual(found?.covers, [found?.picture]);
  assert.deepEqual(found?.view, view);
});

test("what the page around has scrolled away is not seen", () => {
  const rect = { x: 100, y: -200, width: 400, height: 300 };
  const found = moved(place, { rect, visible: { x: 100, y: 0, width: 400, height: 100 }, view });
  assert.deepEqual(found?.picture, rect);
  assert.deepEqual(found?.visible, { x: 100, y: 0, width: 400, height: 100 });
  const gone = { ...place, visible: { x: 0, y: 0, width: 400, height: 150 } };
  assert.equal(moved(gone, { rect, visible: { x: 100, y: 0, width: 400, height: 100 }, view }), null);
});

test("a frame's place is asked for now and then, not for every picture", async () => {
  let asked = 0;
  const finder = new FrameFinder(async () => {
    asked++;
    return null;
  });
  assert.equal(await finder.locate(place), null);
  assert.equal(await finder.locate(place), null);
  assert.equal(asked, 1);
});
