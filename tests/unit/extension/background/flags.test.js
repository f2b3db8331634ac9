import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { flagged } from "#extension/background/flags.js";

const FLAG = { id: "a", document: "d", video: 1, clock: "media", from: 1, to: 2, length: 60, probability: 0.9 };

/** @type {string[]} what the notifications said */
let told;

beforeEach(() => {
  told = [];
  /** @type {Record<string, unknown>} */
  const session = {};
  Reflect.set(globalThis, "chrome", {
    storage: {
      local: { get: async () => ({ notify: true, traces: true }) },
      session: { get: async () => session, set: async (/** @type {object} */ values) => Object.assign(session, values) },
    },
    permissions: { contains: async () => true },
    runtime: { getURL: (/** @type {string} */ path) => path },
    i18n: { getMessage: (/** @type {string[]} */ ...words) => words.join(" ") },
    notifications: { create: async (/** @type {string} */ _, /** @type {{message: string}} */ { message }) => told.push(message) },
  });
});

/** @param {string} url @param {boolean} incognito */
async function flagIn(url, incognito) {
  const tab = /** @type {chrome.tabs.Tab} */ ({ id: 7, url, incognito });
  await flagged(/** @type {any} */ (FLAG), { tab, url }).catch(() => {}); // there is no database to keep it in here
  await new Promise((resolve) => setTimeout(resolve, 50));
}

test("a notification names the site, but not that of a private window, whose notification outlives it", async () => {
  await flagIn("https://site.test/a", false);
  await flagIn("https://secret.test/b", true);
  assert.deepEqual(told, ["notice_fake site.test", "spoken_fake"]);
});

test("a video of a file has no site to name", async () => {
  await flagIn("file:///somewhere/a.mp4", true);
  await flagIn("file:///somewhere/b.mp4", false);
  assert.deepEqual(told, ["spoken_fake", "spoken_fake"]);
});
