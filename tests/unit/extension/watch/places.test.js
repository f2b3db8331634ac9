import assert from "node:assert/strict";
import { test } from "node:test";

import { ASK_AGAIN_MS, Capacity, LONGEST_TURN_MS, SHORTEST_TURN_MS, whoseTurn } from "#extension/watch/places.js";

/** @typedef {import("#extension/watch/places.js").Candidate & {name: string}} Named */

/** @param {Record<string, number>} areas @returns {Named[]} */
function videos(areas) {
  return Object.entries(areas).map(([name, area]) => ({ name, area, since: null, leftAt: -Infinity, settled: false }));
}

/**
 * Let the time go by, a second each.
 * @param {Named[]} all @param {number} places @param {number} seconds @param {number} [start]
 * @returns {string[]} who had the places, second by second
 */
function run(all, places, seconds, start = 0) {
  const seen = [];
  for (let second = 0; second < seconds; second++) {
    const now = start + 1000 * second;
    const turn = whoseTurn(all, places, now);
    for (const one of all) {
      if (turn.has(one)) one.since ??= now;
      else if (one.since !== null) Object.assign(one, { since: null, leftAt: now, settled: false });
      if (one.since !== null && now - one.since >= 3000) one.settled = true;
    }
    seen.push(all.filter((one) => turn.has(one)).map(({ name }) => name).join(""));
  }
  return seen;
}

test("all of them while they fit", () => {
  assert.deepEqual(run(videos({ a: 1, b: 3, c: 2 }), 4, 2), ["abc", "abc"]);
});

test("the largest first, then the others in turn, and round again", () => {
  const seen = run(videos({ a: 10, b: 12, c: 15, d: 11 }), 2, 40);
  assert.equal(seen[0], "bc");
  const turns = seen.filter((one, index) => one !== seen[index - 1]);
  assert.deepEqual(turns.slice(0, 4), ["bc", "ad", "bc", "ad"]);
  assert.ok(seen.indexOf("ad") * 1000 >= SHORTEST_TURN_MS);
});

test("everybody has a turn, whatever their number", () => {
  const many = Object.fromEntries([..."abcdefghi"].map((name, index) => [name, 100 - index]));
  const seen = new Set(run(videos(many), 4, 30).join(""));
  assert.equal(seen.size, 9);
});

test("a turn without an answer lasts longer, but not for ever", () => {
  const all = videos({ a: 2, b: 1.5 });
  const now = LONGEST_TURN_MS;
  Object.assign(all[0], { since: 1 });
  assert.deepEqual([...whoseTurn(all, 1, now)].map(({ name }) => name), ["a"]);
  assert.deepEqual([...whoseTurn(all, 1, now + 1)].map(({ name }) => name), ["b"]);
});

test("what the page is about keeps its place", () => {
  const seen = run(videos({ main: 100, x: 10, y: 10, z: 10 }), 2, 60);
  assert.ok(seen.every((one) => one.includes("main")));
  assert.deepEqual(new Set(seen), new Set(["mainx", "mainy", "mainz"]));
});

test("a large one that comes into view takes a place at once", () => {
  const all = videos({ a: 10, b: 9 });
  run(all, 2, 3);
  all.push(...videos({ main: 90 }));
  assert.deepEqual([...whoseTurn(all, 2, 3000)].map(({ name }) => name), ["main", "a"]);
});

test("fewer places leave the largest", () => {
  const all = videos({ a: 10, b: 12, c: 15 });
  run(all, 3, 2);
  assert.deepEqual([...whoseTurn(all, 1, 2000)].map(({ name }) => name), ["c"]);
});

test("what the server refuses is not asked for again for a while, then one by one", () => {
  const capacity = new Capacity(4);
  const fine = { open: 2, refused: 0, starving: false };
  capacity.note({ open: 2, refused: 2, starving: false }, 0);
  assert.equal(capacity.places, 2);
  capacity.note(fine, ASK_AGAIN_MS - 1);
  assert.equal(capacity.places, 2);
  capacity.note(fine, ASK_AGAIN_MS + 1);
  assert.equal(capacity.places, 3);
  capacity.note({ open: 0, refused: 3, starving: false }, ASK_AGAIN_MS + 2);
  assert.equal(capacity.places, 1, "one always asks");
});

test("a server that is behind at the slowest pace gets fewer videos, one less at a time", () => {
  const capacity = new Capacity(4);
  const behind = { open: 4, refused: 0, starving: true };
  capacity.note(behind, 0);
  assert.equal(capacity.places, 3);
  capacity.note({ ...behind, open: 3 }, LONGEST_TURN_MS / 2);
  assert.equal(capacity.places, 3);
  capacity.note({ ...behind, open: 3 }, LONGEST_TURN_MS + 1);
  assert.equal(capacity.places, 2);
  capacity.note({ open: 2, refused: 0, starving: false }, LONGEST_TURN_MS + ASK_AGAIN_MS + 2);
  assert.equal(capacity.places, 3);
});
