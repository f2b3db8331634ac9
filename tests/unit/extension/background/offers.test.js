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

const FILE = "file:///home/me/form.html";
for (const [what, frame, kept] of /** @type {const} */ ([
  ["a site", { url: "https://up.example/form" }, "https://up.example"],
  ["a file", { url: FILE }, "file://"],
  ["a frame that a file writes", { url: "about:srcdoc", tab: { url: FILE } }, "file://"],
  ["a frame whose maker was a file", { url: "about:blank", origin: "file://" }, "file://"],
])) {
  test(`never again at ${what} holds there alone`, async () => {
    const other = "https://other.example/";
    const sender = /** @type {any} */ ({ origin: "null", ...frame });
    assert.deepEqual(await mayOffer(sender), { offer: true });
    await neverOffer(sender);
    assert.deepEqual(stored.noOffers, [kept]);
    assert.deepEqual(await mayOffer(sender), { offer: false });
    assert.deepEqual(await mayOffer(/** @type {any} */ ({ url: other, origin: "null" })), { offer: true });
  });
}
