import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { AddressError, LOOPBACK, isLoopback, normaliseServer } from "#extension/shared/address.js";

/** @type {[string, string][]} */
const TAKEN = [
  ["http://127.0.0.1:8765", "http://127.0.0.1:8765"],
  ["  localhost:8765/ ", "http://localhost:8765"],
  ["https://example.org/?token=1#x", "https://example.org"],
  ["https://example.org/tools/fakelight/?token=1#x", "https://example.org/tools/fakelight"],
  ["https://example.org/fl/scan", "https://example.org/fl"],
  ["http://127.0.0.1:8765/monitor", "http://127.0.0.1:8765"],
  ["HTTPS://Example.org:443", "https://example.org"],
  ["https://[2001:db8::1]:9000", "https://[2001:db8::1]:9000"],
];

/** @type {[string, string][]} the text and the key of what is wrong with it */
const REFUSED = [
  ["", "server_not_an_address"],
  ["ftp://127.0.0.1", "server_not_an_address"],
  ["https://user:secret@example.org", "server_not_an_address"],
  ["https://not a name", "server_not_an_address"],
  ["http://example.org", "server_needs_https"],
  ["192.168.1.5:8765", "server_needs_https"],
  ["http://127.0.0.1.example.org", "server_needs_https"],
  ["http://[::1]:8765", "server_needs_https"],
];

for (const [text, address] of TAKEN) {
  test(`address: "${text}"`, () => assert.equal(normaliseServer(text), address));
}

for (const [text, key] of REFUSED) {
  test(`no address: "${text}"`, () => {
    assert.throws(() => normaliseServer(text), (error) => error instanceof AddressError && error.message === key);
  });
}

test("loopback is what the name says, at any port", () => {
  assert.ok(isLoopback("http://127.0.0.1:1") && isLoopback("https://localhost"));
  assert.ok(!isLoopback("https://localhost.example.org"));
});

test("the manifest lets the extension's pages reach just those without encryption", () => {
  const address = new URL("../../../../extension/manifest.json", import.meta.url);
  const policy = JSON.parse(readFileSync(address, "utf8")).content_security_policy.extension_pages;
  const hosts = [...policy.matchAll(/\b(?:http|ws):\/\/(\S+?):\*/g)].map(([, host]) => host);
  assert.deepEqual(hosts, [...LOOPBACK, ...LOOPBACK]);
});
