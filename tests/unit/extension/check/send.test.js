import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import { CheckError, scanPage, send } from "#extension/check/send.js";

/** @type {{status: number, body: string}} */
let next = { status: 202, body: '{"id":"one"}' };
/** @type {{method?: string, url?: string, token?: string, text: string}[]} */
const heard = [];
const server = createServer(async (request, answer) => {
  let text = "";
  for await (const part of request) text += part;
  heard.push({ method: request.method, url: request.url, token: request.headers.authorization, text });
  answer.writeHead(next.status, { "Content-Type": "application/json" }).end(next.body);
});
let address = "";
before(async () => {
  await new Promise((listening) => server.listen(0, "127.0.0.1", () => listening(null)));
  const bound = server.address();
  if (bound && typeof bound === "object") address = `http://127.0.0.1:${bound.port}`;
});
after(() => server.close());

/** @type {import("../../../../extension/shared/check_job.js").CheckFile} */
const FILE = { blob: new Blob(["face"], { type: "image/png" }), name: "a face.png", part: "whole" };

test("the file goes to the scans with the token, and its scan comes back", async () => {
  assert.equal(await send(address, "secret", FILE), "one");
  const last = heard.at(-1);
  assert.deepEqual([last?.method, last?.url, last?.token], ["POST", "/v1/scans", "Bearer secret"]);
  assert.match(last?.text ?? "", /name="file"; filename="a face.png"\r\nContent-Type: image\/png\r\n\r\nface/);
});

test("the page is opened with a ticket, and without one by a server that has none", async () => {
  next = { status: 201, body: '{"ticket":"t-1","expires_s":60}' };
  assert.equal(await scanPage(address, "secret", "one"), `${address}/scan#scan=one&ticket=t-1`);
  assert.equal(heard.at(-1)?.url, "/v1/session/tickets");
  next = { status: 404, body: "{}" };
  assert.equal(await scanPage(address, "secret", "one"), `${address}/scan#scan=one`);
});

for (const [status, body, key, part] of /** @type {[number, string, string, string][]} */ ([
  [401, "{}", "server_rejected", ""],
  [413, '{"detail":"over 2 GB"}', "check_refused", "over 2 GB"],
  [429, "no JSON", "check_refused", "HTTP 429"],
  [202, "{}", "server_strange", "http://"],
])) {
  test(`an answer of ${status} is told as ${key}`, async () => {
    next = { status, body };
    await assert.rejects(send(address, "secret", FILE), (error) => {
      assert.ok(error instanceof CheckError);
      assert.equal(error.key, key);
      assert.ok(String(error.parts[0] ?? "").startsWith(part));
      return true;
    });
  });
}

test("a server that is not there is named", async () => {
  await assert.rejects(send("http://127.0.0.1:1", "secret", FILE), { key: "server_unreachable", parts: ["http://127.0.0.1:1"] });
});
