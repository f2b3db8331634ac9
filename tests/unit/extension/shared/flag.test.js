import assert from "node:assert/strict";
import { test } from "node:test";

import { joined, keyOf } from "#extension/shared/flag.js";

test("the key of a video tells pages and lengths apart, and shows no address", async () => {
  const key = await keyOf("https://site.test/watch?v=1#t=10", 12.04);
  assert.match(key, /^[0-9a-f]{64}$/);
  assert.equal(key, await keyOf("https://site.test/watch?v=1", 12.01));
  for (const [address, length] of /** @type {[string, number|null][]} */ ([
    ["https://site.test/watch?v=2", 12],
    ["https://site.test/watch?v=1", 13],
    ["https://site.test/watch?v=1", null],
  ])) {
    assert.notEqual(key, await keyOf(address, length));
  }
});

test("two parts of a stretch are one from the first to the last", () => {
  assert.deepEqual(joined({ from: 5, to: 8, more: 1 }, { from: 7, to: 9 }), { from: 5, to: 9, more: 1 });
  assert.deepEqual(joined({ from: 5, to: 8 }, { from: 1, to: 2 }), { from: 1, to: 8 });
});
