import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, beforeEach, test } from "node:test";

import { PairingError, finishPairing, startPairing, unpair, waitToBeLetIn } from "#extension/shared/pairing.js";
import { chromeWith } from "../stub.js";

/** @type {{method?: string, url?: string, authorization?: string, body: string}[]} what the server was asked */
let asked = [];
/** @type {{status: number, body: object}} what it answers */
let answer = { status: 500, body: {} };
let address = "";
/** @type {ReturnType<typeof chromeWith>} */
let stub;

const server = createServer(async (request, response) => {
  let body = "";
  for await (const part of request) body += part;
  const { method, url, headers } = request;
  asked.push({ method, url, authorization: headers.authorization, body });
  response.writeHead(answer.status, { "Content-Type": "application/json" });
  response.end(JSON.stringify(answer.body));
});

before(async () => {
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(null)));
  const place = server.address();
  assert.ok(place && typeof place === "object");
  address = `http://127.0.0.1:${place.port}`;
});
after(() => {
  server.close();
  server.closeAllConnections();
});
beforeEach(() => {
  stub = chromeWith();
  asked = [];
});

/** @param {string} key @param {...string} parts @returns {(error: unknown) => boolean} */
function saying(key, ...parts) {
  return (error) => {
    assert.ok(error instanceof PairingError);
    assert.deepEqual([error.key, ...error.parts], [key, ...parts]);
    return true;
  };
}

test("the digits buy a token that is kept with its server", async () => {
  answer = { status: 201, body: { id: "p 1", expires_s: 120 } };
  const { id, expires_s } = await startPairing(address);
  assert.equal(expires_s, 120);
  answer = { status: 200, body: { token: "secret" } };
  await finishPairing(address, id, "123456");
  assert.deepEqual(stub.local, { server: address, token: "secret" });
  assert.deepEqual(asked.map(({ method, url }) => `${method} ${url}`), ["POST /v1/pairings", "POST /v1/pairings/p%201"]);
  assert.deepEqual(JSON.parse(asked[1].body), { code: "123456" });
});

/** @type {[number, object, string[]][]} status, body, and what the person is told */
const FAILURES = [
  [403, { tries_left: 3 }, ["pair_wrong", "3"]],
  [403, {}, ["pair_expired"]],
  [404, {}, ["pair_expired"]],
  [410, {}, ["pair_expired"]],
  [429, {}, ["pair_too_many"]],
  [500, { detail: "out of order" }, ["pair_refused", "out of order"]],
  [200, { token: "" }, ["pair_refused", ""]],
];

for (const [status, body, [key, ...parts]] of FAILURES) {
  test(`${status} with ${JSON.stringify(body)} is ${key}`, async () => {
    answer = { status, body };
    await assert.rejects(finishPairing(address, "p", "123456"), saying(key, ...parts));
    assert.deepEqual(stub.local, {});
  });
}

test("a server that does not begin to pair says why", async () => {
  answer = { status: 429, body: {} };
  await assert.rejects(startPairing(address), saying("pair_too_many"));
  answer = { status: 403, body: { title: "Not from here" } };
  await assert.rejects(startPairing(address), saying("pair_refused", "Not from here"));
  answer = { status: 201, body: { id: 7 } };
  await assert.rejects(startPairing(address), saying("pair_refused", ""));
});

test("a server that is not there is named", async () => {
  await assert.rejects(startPairing("http://127.0.0.1:9"), saying("pair_unreachable", "http://127.0.0.1:9"));
});

test("unpairing forgets the token here and at the server", async () => {
  Object.assign(stub.local, { server: address, token: "secret" });
  answer = { status: 204, body: {} };
  await unpair();
  assert.equal(stub.local.token, "");
  assert.deepEqual(asked.map(({ method, authorization }) => [method, authorization]), [["DELETE", "Bearer secret"]]);
});

test("unpairing forgets the token even where the server is gone", async () => {
  Object.assign(stub.local, { server: "http://127.0.0.1:9", token: "secret" });
  await unpair();
  assert.equal(stub.local.token, "");
});

test("without a token nobody is asked", async () => {
  await unpair();
  assert.deepEqual(asked, []);
});

test("a click on the server's page stands for the digits", async () => {
  /** @type {boolean[]} */
  const pages = [];
  answer = { status: 202, body: { page: false } };
  const done = waitToBeLetIn(address, "p 1", new AbortController().signal, (page) => {
    pages.push(page);
    answer = pages.length === 1 ? { status: 202, body: { page: true } } : { status: 200, body: { token: "secret" } };
  });
  assert.equal(await done, true);
  assert.deepEqual(pages, [false, true]);
  assert.deepEqual(stub.local, { server: address, token: "secret" });
  const questions = asked.map(({ method, url, body }) => `${method} ${url} ${body}`);
  assert.deepEqual(questions, Array(3).fill(`POST /v1/pairings/p%201 {"code":null}`));
});

test("the waiting for a click can be given up, and ends with the pairing", async () => {
  const given = new AbortController();
  answer = { status: 202, body: { page: true } };
  assert.equal(await waitToBeLetIn(address, "p", given.signal, () => given.abort()), false);
  const signal = new AbortController().signal;
  answer = { status: 410, body: {} };
  await assert.rejects(waitToBeLetIn(address, "p", signal), saying("pair_expired"));
  answer = { status: 500, body: { detail: "out of order" } };
  await assert.rejects(waitToBeLetIn(address, "p", signal), saying("pair_refused", "out of order"));
  // A server of before takes digits alone: they can still be typed.
  const before = new AbortController();
  answer = { status: 400, body: {} };
  const waits = waitToBeLetIn(address, "p", before.signal);
  setTimeout(() => before.abort(), 50);
  assert.equal(await waits, false);
  assert.deepEqual(stub.local, {});
});
