import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { OwnDrawing } from "#extension/overlay/own_drawing.js";
import { TabFrames } from "#extension/watch/tab_frames.js";

const STYLE = {
  borderLeftWidth: "0px", borderRightWidth: "0px", borderTopWidth: "0px", borderBottomWidth: "0px",
  paddingLeft: "0px", paddingRight: "0px", paddingTop: "0px", paddingBottom: "0px",
  objectFit: "contain", objectPosition: "50% 50%", overflow: "visible", transform: "none",
};
/** @type {{x: number, y: number, width: number, height: number}} */
let box;
/** @type {any} */
let overlay;
/** @type {any} */
let video;
/** @type {TabFrames} */
let frames;

beforeEach(() => {
  box = { x: 100, y: 50, width: 640, height: 360 };
  const page = { body: {}, documentElement: {}, elementsFromPoint: () => [], querySelectorAll: () => [] };
  video = {
    isConnected: true, videoWidth: 640, videoHeight: 360, offsetWidth: 640, offsetHeight: 360, playbackRate: 1,
    parentElement: null, parentNode: null, getBoundingClientRect: () => box, getRootNode: () => page,
  };
  overlay = { isClear: () => true, setDrawnOver: () => {}, faceSquares: () => [] };
  Object.assign(globalThis, {
    ShadowRoot: class {}, document: page, innerWidth: 1000, innerHeight: 700, devicePixelRatio: 1, scrollX: 0, scrollY: 200,
    getComputedStyle: () => STYLE,
  });
  frames = new TabFrames(() => ({ video, overlay }));
});

/** @param {number} frameId */
function ask(frameId) {
  const found = frames.find();
  assert.ok(found);
  frames.note(frameId, found.place);
}

test("where the video is as before, what was drawn over it meanwhile is told, in the window", async () => {
  const label = { x: 150, y: 300, width: 100, height: 30 };
  const drawing = new OwnDrawing(() => [label, { x: 0, y: 0, width: 50, height: 50 }]);
  ask(1);
  assert.deepEqual(await frames.stayed(1), [{ ...label, y: 100 }], "off the video it hides nothing");
  drawing.end();
});

test("a video that has moved, left, or lies under the details is not judged there; nor a frame nobody asked for", async () => {
  ask(1);
  box = { ...box, y: 40 };
  assert.equal(await frames.stayed(1), null);
  ask(2);
  overlay.isClear = () => false;
  assert.equal(await frames.stayed(2), null);
  assert.equal(frames.find(), null);
  overlay.isClear = () => true;
  ask(3);
  video = { ...video };
  assert.equal(await frames.stayed(3), null, "another element shows it now");
  ask(4);
  video.isConnected = false;
  assert.equal(await frames.stayed(4), null);
  assert.equal(await frames.stayed(5), null);
});

test("of a player that nobody can enter the page around it has to tell", async () => {
  let there = true;
  const element = { parentElement: null, getBoundingClientRect: () => box, getRootNode: video.getRootNode };
  const placement = () => ({ picture: box, visible: box, mirrored: false });
  Object.assign(video, { element, placement, stayed: async () => there });
  ask(1);
  assert.deepEqual(await frames.stayed(1), []);
  there = false;
  ask(2);
  assert.equal(await frames.stayed(2), null);
});
