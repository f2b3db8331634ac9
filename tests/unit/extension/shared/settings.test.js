import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { DEFAULTS, SENSITIVITIES, TRANSPORTS, load, protectStorage, save } from "#extension/shared/settings.js";
import { chromeWith } from "../stub.js";

/** @type {ReturnType<typeof chromeWith>} */
let stub;
beforeEach(() => {
  stub = chromeWith();
});

test("without a choice the defaults hold", async () => {
  assert.deepEqual(await load(), { ...DEFAULTS });
  assert.ok(SENSITIVITIES.includes(DEFAULTS.sensitivity) && TRANSPORTS.includes(DEFAULTS.transport));
});

test("what is saved comes back, and the rest stays", async () => {
  await save({ sensitivity: "calm" });
  await save({ token: "t" });
  assert.deepEqual(await load(), { ...DEFAULTS, sensitivity: "calm", token: "t" });
});

test("what is stored for other purposes is no setting", async () => {
  stub.local.tracker = "x";
  assert.deepEqual(Object.keys(await load()).sort(), Object.keys(DEFAULTS).sort());
});

test("content scripts are kept from the token where the browser can", async () => {
  await protectStorage();
  assert.deepEqual(stub.accessLevels, ["TRUSTED_CONTEXTS"]);
});
