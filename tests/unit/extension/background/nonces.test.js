import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { beforeEach, test } from "node:test";

import { Nonces } from "#extension/background/nonces.js";

// Node 18 keeps it to itself.
if (!("crypto" in globalThis)) Reflect.set(globalThis, "crypto", webcrypto);

let now = 0;
/** @type {Nonces} */
let nonces;
beforeEach(() => {
  now = 0;
  nonces = new Nonces(() => now);
});

test("a nonce holds once, in its own tab", () => {
  const nonce = nonces.issue(1, 0);
  assert.equal(nonces.redeem(nonce, 1), true);
  assert.equal(nonces.redeem(nonce, 1), false);
});

test("another tab does not get in, and uses the nonce up", () => {
  const nonce = nonces.issue(1, 0);
  assert.equal(nonces.redeem(nonce, 2), false);
  assert.equal(nonces.redeem(nonce, 1), false);
});

test("a nonce goes stale", () => {
  const [fresh, stale] = [nonces.issue(1, 0), nonces.issue(1, 0)];
  now = 29_999;
  assert.equal(nonces.redeem(fresh, 1), true);
  now = 30_000;
  assert.equal(nonces.redeem(stale, 1), false);
});

test("what was never issued does not get in", () => {
  nonces.issue(1, 0);
  for (const made of ["", undefined, null, 7, {}, "0b0c7f2e-6a0e-4f2b-9a52-0d2f4b6f9f10"]) {
    assert.equal(nonces.redeem(made, 1), false);
  }
});

test("a page that has nonces issued without end fills no memory", () => {
  for (let i = 0; i < 1000; i++) nonces.issue(1, 0);
  assert.ok(nonces.open.size <= 200);
  assert.equal(nonces.redeem(nonces.issue(1, 0), 1), true);
});
