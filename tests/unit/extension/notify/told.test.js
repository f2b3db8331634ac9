import assert from "node:assert/strict";
import { test } from "node:test";

import { MOST_TOLD, noted } from "#extension/notify/told.js";

/** @typedef {import("#extension/shared/flag.js").Stretch} Stretch */

/** @param {Partial<Stretch>} values @returns {Stretch} */
function stretch(values = {}) {
  return { key: "page", document: "d", video: 1, clock: "media", from: 10, to: 12, ...values };
}

/** @param {...Partial<Stretch>} all @returns {boolean[]} which of them are told */
function news(...all) {
  /** @type {Stretch[]} */
  let told = [];
  return all.map((values) => {
    const found = noted(told, stretch(values));
    ({ told } = found);
    return found.isNew;
  });
}

test("a stretch is told once, as it goes on, in a loop and after the page was loaded anew", () => {
  assert.deepEqual(news({}, { to: 20 }, { from: 21, to: 30 }, { from: 5, to: 8 }, { document: "later" }), [
    true,
    false,
    false,
    false,
    false,
  ]);
});

test("another stretch, another video, another page and another clock are told", () => {
  assert.deepEqual(news({}, { from: 16, to: 17 }, { video: 2 }, { key: "other" }, { clock: "day" }), [
    true,
    true,
    true,
    true,
    true,
  ]);
});

test("the oldest are forgotten", () => {
  /** @type {Stretch[]} */
  let told = [];
  for (let at = 0; at <= MOST_TOLD; at++) ({ told } = noted(told, stretch({ from: 10 * at, to: 10 * at + 1 })));
  assert.equal(told.length, MOST_TOLD);
  assert.ok(noted(told, stretch({ from: 0, to: 1 })).isNew);
  assert.ok(!noted(told, stretch({ from: 10, to: 11 })).isNew);
});
