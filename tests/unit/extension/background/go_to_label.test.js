import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { GO_TO_LABEL, goToLabel } from "#extension/background/go_to_label.js";
import { MANIFEST } from "../sources.js";

const TAB = 7;
/** @type {unknown[][]} what was sent to which frame */
let sent;
/** @type {Record<string, object[]>} */
let frames;

beforeEach(() => {
  sent = [];
  frames = {};
  Reflect.set(globalThis, "chrome", {
    storage: { session: { get: async (/** @type {string} */ key) => ({ [key]: { once: null, frames } }) } },
    tabs: { sendMessage: async (/** @type {unknown[]} */ ...all) => void sent.push(all) },
  });
});

test("the shortcut is the one that the manifest offers", () => {
  assert.deepEqual(MANIFEST.commands[GO_TO_LABEL].suggested_key, { default: "Alt+Shift+F" });
});

test("the frame with a warning comes before one with a face, and that before the others", async () => {
  frames = { 0: [{ faces: 0, fake: false }], 4: [{ faces: 2, fake: false }], 9: [{ faces: 1, fake: true }] };
  await goToLabel(TAB);
  delete frames[9];
  await goToLabel(TAB);
  assert.deepEqual(sent, [9, 4].map((frameId) => [TAB, { type: GO_TO_LABEL }, { frameId }]));
});

test("where nothing is watched nobody is told, and a frame that is gone is no fault", async () => {
  await goToLabel(TAB);
  assert.deepEqual(sent, []);
  frames = { 0: [{ faces: 1, fake: false }] };
  Reflect.get(globalThis, "chrome").tabs.sendMessage = async () => {
    throw new Error("Receiving end does not exist");
  };
  await goToLabel(TAB);
});
