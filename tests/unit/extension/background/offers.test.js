import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { mayOffer, neverOffer } from "#extension/background/offers.js";

/** @type {Record<string, unknown>} */
let stored = {};

beforeEach(() => {
  stored = { token: "a-token" };
  /** @type {any} */ (globalThis).chrome = {
    storage: {
      local: {
        get: async () => structuredClone(stored),
        set: async (/** @type {object} */ values) => void Object.assign(stored, values),
      },
    },
  };
});

for (const [where, other, kept] of [
  ["https://up.example/form", "https://other.example/", "https://up.example"],
  ["file:///home/me/form.html", "https://other.example/", "file://"],
]) {
  test(`never again at ${where} holds there alone`, async () => {
    const sender = /** @type {any} */ ({ url: where, origin: "null" });
    assert.deepEqual(await mayOffer(sender), { offer: true });
    await neverOffer(sender);
    assert.deepEqual(stored.noOffers, [kept]);
    assert.deepEqual(await mayOffer(sender), { offer: false });
    assert.deepEqual(await mayOffer(/** @type {any} */ ({ url: other, origin: "null" })), { offer: true });
  });
}
