import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { MOST_REMEMBERED, Memories } from "#extension/watch/memories.js";

beforeEach(() => {
  Reflect.set(globalThis, "location", { href: "https://site.test/feed" });
  Reflect.set(globalThis, "ShadowRoot", class {});
  Reflect.set(globalThis, "Element", class {});
});

/** @param {string} currentSrc @param {object} [more] @returns {any} */
function element(currentSrc, more) {
  return { currentSrc, duration: 12, videoWidth: 640, videoHeight: 360, srcObject: null, ownerDocument: { querySelectorAll: () => [] }, ...more };
}

test("an element that is added again finds its memory, another video gets its own", () => {
  const memories = new Memories();
  const first = memories.of(element("https://cdn.test/a.mp4"));
  assert.notEqual(memories.of(element("https://cdn.test/b.mp4")), first);
  assert.equal(memories.of(element("https://cdn.test/a.mp4?token=new")), first);
  assert.equal(memories.of(element("")), null);
});

test("a video whose end becomes known while it plays stays the same", () => {
  const memories = new Memories();
  const open = { duration: Infinity, parentNode: null, poster: "" };
  const memory = memories.of(element("blob:1", open));
  assert.ok(memory);
  memories.grown(element("blob:1", { ...open, duration: 12 }), memory);
  assert.equal(memories.of(element("blob:1", { ...open, duration: 12 })), memory);
});

test("of an endless list the last ones seen are remembered", () => {
  const memories = new Memories();
  const kept = memories.of(element("https://cdn.test/kept.mp4"));
  const lost = memories.of(element("https://cdn.test/lost.mp4"));
  for (let index = 0; index < MOST_REMEMBERED - 1; index++) {
    assert.equal(memories.of(element("https://cdn.test/kept.mp4")), kept);
    memories.of(element(`https://cdn.test/clip/${index}/v.mp4`));
  }
  assert.equal(memories.of(element("https://cdn.test/kept.mp4")), kept);
  assert.notEqual(memories.of(element("https://cdn.test/lost.mp4")), lost);
  assert.equal(memories.known.length, MOST_REMEMBERED);
});

test("calls are counted by the time of day, videos by their own", () => {
  const memories = new Memories();
  const call = element("", { srcObject: { getVideoTracks: () => [{ id: "a", getSettings: () => ({}) }] } });
  assert.equal(memories.of(call)?.clock, "day");
  assert.equal(memories.of(element("https://cdn.test/a.mp4"))?.clock, "media");
});
