import assert from "node:assert/strict";
import { test } from "node:test";

import { MOST_BYTES, MOST_ENTRIES, overLimit } from "#extension/traces/bounds.js";

/** @typedef {import("#extension/traces/store.js").Entry} Entry */

/** @param {number} seenAt @param {number} size @param {string|null} note @returns {Entry} */
function entry(seenAt, size = 0, note = null) {
  return /** @type {any} */ ({ id: `e${seenAt}`, seenAt, still: size ? { size } : null, note });
}

test("what fits stays", () => {
  const list = Array.from({ length: MOST_ENTRIES }, (_, at) => entry(at, MOST_BYTES / MOST_ENTRIES));
  assert.deepEqual(overLimit(list), []);
  assert.deepEqual(overLimit([]), []);
});

test("of too many entries the oldest go, and those with a word of the person's last", () => {
  const list = Array.from({ length: MOST_ENTRIES + 2 }, (_, at) => entry(at, 0, at === 0 ? "" : null));
  assert.deepEqual(new Set(overLimit(list)), new Set(["e1", "e2"]));
  const marked = Array.from({ length: MOST_ENTRIES + 1 }, (_, at) => entry(at, 0, "wrong"));
  assert.deepEqual(overLimit(marked), ["e0"]);
});

test("of too many bytes the oldest go", () => {
  const list = [entry(1, 0.6 * MOST_BYTES), entry(2, 0.5 * MOST_BYTES), entry(3)];
  assert.deepEqual(overLimit(list), ["e1"]);
});
