import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { TabShots } from "#extension/offscreen/shots.js";

/** @type {Blob[]} */
let decoded;

beforeEach(() => {
  decoded = [];
  Reflect.set(globalThis, "createImageBitmap", async (/** @type {Blob} */ blob) => {
    decoded.push(blob);
    return { width: 1000, height: 700, close: mock.fn() };
  });
});
afterEach(() => void Reflect.deleteProperty(globalThis, "createImageBitmap"));

test("a shot is what the browser's address of it holds", async () => {
  const shots = new TabShots(async () => `data:image/jpeg;base64,${btoa("picture")}`);
  assert.deepEqual((await shots.after())?.size, { width: 1000, height: 700 });
  assert.equal(decoded[0].type, "image/jpeg");
  assert.equal(await decoded[0].text(), "picture");
});

test("one shot at a time, and none where the browser refuses or it is over", async () => {
  /** @type {(address: string) => void} */
  let give = () => {};
  const shots = new TabShots(() => new Promise((resolve) => (give = resolve)));
  const first = shots.after();
  assert.equal(await shots.after(), null);
  give("data:image/jpeg;base64,");
  assert.ok(await first);
  const refused = new TabShots(() => Promise.reject(new Error("too many per second")));
  assert.equal(await refused.after(), null);
  shots.close();
  assert.equal(await shots.after(), null);
});
