import assert from "node:assert/strict";
import { test } from "node:test";

import { WAIT_MS, nextOf, waits } from "#extension/watch/tiles.js";

/** @param {string} id @returns {HTMLVideoElement} that shows a track */
function showing(id) {
  const track = { id, readyState: "live", getSettings: () => ({}) };
  return /** @type {any} */ ({ srcObject: { getVideoTracks: () => [track] } });
}

/** @param {Partial<import("#extension/watch/tiles.js").Tile>} more */
function tile(more = {}) {
  return { session: { hasPlace: true }, track: "a ", goneAt: null, ...more };
}

test("a tile whose element has gone waits for the next one, and not for ever", () => {
  const gone = tile({ goneAt: 1000 });
  assert.equal(waits(gone, 1000), true);
  assert.equal(waits(gone, 1000 + WAIT_MS - 1), true);
  assert.equal(waits(gone, 1000 + WAIT_MS), false);
});

test("nothing is lost of a file, nor of what has no place", () => {
  assert.equal(waits(tile({ track: null }), 0), false);
  assert.equal(waits(tile({ session: { hasPlace: false } }), 0), false);
});

test("the next element is the one with the same track", () => {
  const [old, other, next] = [showing("a"), showing("b"), showing("a")];
  assert.equal(nextOf(old, tile(), [other, next]), next);
  assert.equal(nextOf(old, tile(), [other]), undefined);
  assert.equal(nextOf(old, tile({ track: null }), [other, next]), undefined);
});

test("an element that went into another window is its own next one", () => {
  const video = showing("a");
  assert.equal(nextOf(video, tile({ track: null }), [video]), video);
});
