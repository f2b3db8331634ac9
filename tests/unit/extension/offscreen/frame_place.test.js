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

test("where a frame was while the picture came is known only if it is in the same place before and after", async () => {
  const rect = { x: 100, y: 50, width: 400, height: 300 };
  /** @type {{rect: import("#extension/shared/tab_picture.js").Rect, visible: typeof rect, view: typeof rect}|null} */
  let frame = { rect, visible: rect, view };
  let asked = 0;
  const finder = new FrameFinder(async () => {
    asked++;
    return frame;
  });
  const before = await finder.before();
  assert.deepEqual(before?.rect, rect);
  assert.equal(await finder.stayed(/** @type {any} */ (before)), true);
  assert.equal(asked, 2, "the answer from before says nothing of now");
  const again = await finder.before();
  assert.equal(asked, 2, "a later look of the one before is a look before this one");
  for (const moved of [
    { rect: { ...rect, y: 40 }, visible: rect, view }, // scrolled
    { rect, visible: rect, view: { x: 100, y: 70, width: 500, height: 350 } }, // pinched larger
    null, // out of view
  ]) {
    frame = moved;
    assert.equal(await finder.stayed(/** @type {any} */ (again)), false);
  }
});
