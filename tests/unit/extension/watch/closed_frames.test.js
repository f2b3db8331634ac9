import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { ClosedFrames, FramedPlayer, within } from "#extension/watch/closed_frames.js";

/** @param {number} x @param {number} y @param {number} width @param {number} height */
function frame(x, y, width, height) {
  const box = { x, y, width, height, left: x, top: y, right: x + width, bottom: y + height };
  return /** @type {any} */ ({ isConnected: true, getBoundingClientRect: () => box });
}

const outer = frame(100, 100, 600, 400);
const inner = frame(120, 120, 400, 200);
/** @type {object[]} what the service worker answers */
let places;
/** @type {number} */
let asked;

beforeEach(() => {
  places = [{ x: 120, y: 120, width: 400, height: 200 }];
  asked = 0;
  const top = {};
  Reflect.set(globalThis, "window", Object.assign(top, { top }));
  Reflect.set(globalThis, "document", { querySelectorAll: () => [outer, inner] });
  Reflect.set(globalThis, "devicePixelRatio", 2);
  const sendMessage = async () => {
    asked++;
    return places;
  };
  Reflect.set(globalThis, "chrome", { runtime: { sendMessage } });
  mock.timers.reset();
});

const settle = () => new Promise((resolve) => setImmediate(resolve));

test("a place belongs to the smallest frame around it, as a part of that", () => {
  const found = within({ x: 220, y: 170, width: 200, height: 100 }, [outer, inner]);
  assert.equal(found?.element, inner);
  assert.deepEqual(found?.part, { x: 0.25, y: 0.25, width: 0.5, height: 0.5 });
  assert.equal(within({ x: 0, y: 0, width: 50, height: 50 }, [outer, inner]), null);
});

test("a framed player lies where its part of the frame is now", () => {
  const player = new FramedPlayer(inner, { x: 0.25, y: 0.25, width: 0.5, height: 0.5 }, async () => null);
  assert.deepEqual(player.placement().picture, { x: 220, y: 170, width: 200, height: 100 });
  assert.deepEqual([player.videoWidth, player.videoHeight], [400, 200]);
});

test("frames are looked for while the tab's picture is seen, and a known player stays the same", async () => {
  const frames = new ClosedFrames();
  assert.deepEqual(frames.players("off"), []);
  await settle();
  assert.equal(asked, 0, "nobody asked to look");
  frames.players("stream");
  await settle();
  const [player] = frames.players("stream");
  assert.equal(player.element, inner);
  assert.equal(asked, 1, "not at every review");
  frames.askedAt = -Infinity;
  frames.players("stream");
  await settle();
  assert.equal(frames.players("lost")[0], player, "what has ended is still said on it");
  assert.deepEqual(frames.players("off"), []);
});

test("a frame that has left the page is no player any more; frames within frames do not look", async () => {
  const frames = new ClosedFrames();
  const gone = { ...inner, isConnected: false };
  frames.found = [new FramedPlayer(gone, { x: 0, y: 0, width: 1, height: 1 }, async () => null)];
  assert.deepEqual(frames.players("lost"), []);
  Reflect.set(globalThis, "window", { top: {} });
  assert.deepEqual(new ClosedFrames().players("stream"), []);
  await settle();
  assert.equal(asked, 0);
});

test("a player in a frame within a frame is looked for anew before its picture is judged", async () => {
  const frames = new ClosedFrames();
  frames.fresh.apart = 0;
  frames.players("stream");
  await settle();
  const [player] = frames.players("stream");
  assert.equal(await player.stayed(), true);
  places = [{ x: 120, y: 121, width: 400, height: 200 }];
  assert.equal(await player.stayed(), false, "the frame around it has scrolled");
  assert.equal(frames.players("stream")[0], player, "it is the same player");
  assert.equal(await player.stayed(), true);
  places = [];
  assert.equal(await player.stayed(), false);
});
