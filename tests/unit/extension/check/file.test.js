import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import { blobOf, fileOf, nameOf } from "#extension/check/file.js";

/** @typedef {import("../../../../extension/shared/check_job.js").CheckJob} CheckJob */

const PNG = "data:image/png;base64,iVBORw0KGgo=";
const server = createServer((request, answer) => {
  /** @type {Record<string, [number, string, string]>} */
  const files = {
    "/clip.mp4": [200, "video/mp4", "moving"],
    "/face.jpg": [200, "image/jpeg", "still"],
    "/page": [200, "text/html; charset=utf-8", "<p>sign in</p>"],
  };
  const [status, type, body] = files[request.url ?? ""] ?? [404, "text/plain", "nothing"];
  answer.writeHead(status, { "Content-Type": type, "Content-Length": body.length }).end(body);
});
let site = "";
before(async () => {
  await new Promise((listening) => server.listen(0, "127.0.0.1", () => listening(null)));
  const address = server.address();
  if (address && typeof address === "object") site = `http://127.0.0.1:${address.port}`;
});
after(() => server.close());

/** @param {Partial<CheckJob>} job @returns {CheckJob} */
function job(job) {
  return { kind: "image", address: "", data: null, whole: false, shot: null, upload: null, ...job };
}
const unheard = () => {};

test("the bytes of the file come before anything else", async () => {
  const file = await fileOf(job({ address: `${site}/face.jpg`, data: PNG, whole: true, shot: PNG }), unheard);
  assert.deepEqual([file?.name, file?.part, file?.blob.type], ["face.png", "whole", "image/png"]);
});

test("a file is fetched by its address, and how far it is is told", async () => {
  /** @type {(number|null)[]} */
  const told = [];
  const file = await fileOf(job({ kind: "video", address: `${site}/clip.mp4`, data: PNG }), (size, of) => told.push(size, of));
  assert.deepEqual([file?.name, file?.part, await file?.blob.text()], ["clip.mp4", "whole", "moving"]);
  assert.deepEqual(told.slice(-2), [6e-6, 6e-6]);
});

test("what the site does not give out is taken as it is shown", async () => {
  for (const address of [`${site}/gone.mp4`, `${site}/page`, "blob:https://a.test/1", `${site}/list.m3u8`, ""]) {
    const still = await fileOf(job({ kind: "video", address, data: PNG, shot: PNG }), unheard);
    assert.equal(still?.part, "still", address);
  }
  const screen = await fileOf(job({ address: `${site}/clip.mp4`, shot: PNG }), unheard);
  assert.deepEqual([screen?.part, screen?.name], ["screen", "clip (from the screen).png"]);
  assert.equal(await fileOf(job({ address: `${site}/gone.jpg` }), unheard), null);
});

test("names say what it is, and hold nothing that a file name may not", () => {
  assert.equal(nameOf("https://a.test/one%20face.JPEG?x=1", "image/webp", "whole"), "one face.webp");
  assert.equal(nameOf("https://a.test/v.mp4", "image/png", "still"), "v (one picture).png");
  assert.equal(nameOf("data:image/png;base64,xx", "image/png", "whole"), "picture.png");
  assert.equal(nameOf("", "image/png", "still"), "video (one picture).png");
  assert.equal(nameOf("https://a.test/a%2Fb%00%22.png", "image/png", "whole"), "a_b__.png");
  assert.equal(nameOf("https://a.test/%FF.png", "image/png", "whole"), "%FF.png");
  assert.equal(nameOf("https://a.test/clip.mkv", "application/octet-stream", "whole"), "clip.mkv");
});

test("a data URL comes out as the bytes that went in", async () => {
  const blob = blobOf("data:image/png;base64,AAH/");
  assert.deepEqual([...new Uint8Array(await blob.arrayBuffer())], [0, 1, 255]);
  assert.equal(blob.type, "image/png");
});
