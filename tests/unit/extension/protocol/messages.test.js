import assert from "node:assert/strict";
import { test } from "node:test";

import {
  CLOSE_NOT_AUTHORISED,
  FINAL_CLOSE_CODES,
  ProtocolError,
  SAMPLE_HZ,
  SUBPROTOCOL,
  VERDICTS,
  addressOf,
  control,
  encodeFrame,
  explain,
  hello,
  parseServerMessage,
  streamAddress,
} from "#extension/protocol/messages.js";
import { AGREED, bytesOf } from "../agreed.js";

const { client, server } = AGREED;

test("the fixed values are the server's", () => {
  assert.equal(SUBPROTOCOL, AGREED.subprotocol);
  assert.equal(SAMPLE_HZ, AGREED.sample_hz);
  assert.deepEqual([...VERDICTS], AGREED.verdicts);
  const { bad_hello, not_authorised, protocol_not_supported } = AGREED.close;
  assert.deepEqual([...FINAL_CLOSE_CODES], [bad_hello, not_authorised, protocol_not_supported]);
  assert.equal(CLOSE_NOT_AUTHORISED, not_authorised);
});

test("texts are written as the server reads them", () => {
  assert.equal(hello("t", AGREED.source), client.hello);
  assert.equal(explain(1), client.explain);
  for (const kind of /** @type {const} */ (["seek", "pause", "resume", "bye"])) {
    assert.equal(control(kind), client[kind]);
  }
});

test("a frame is the server's to the byte", () => {
  const frame = encodeFrame(AGREED.header, bytesOf(AGREED.picture));
  assert.deepEqual(Buffer.from(frame), Buffer.from(bytesOf(client.frame)));
  const parts = encodeFrame(AGREED.parts_header, bytesOf(AGREED.picture));
  assert.deepEqual(Buffer.from(parts), Buffer.from(bytesOf(client.parts_frame)));
});

test("a welcome", () => {
  const message = parseServerMessage(server.welcome);
  assert.equal(message?.type, "welcome");
  assert.equal(message.sample_hz, 10);
  assert.equal(message.window, 20);
  assert.equal(message.limits.fps, 60);
  assert.equal(message.limits.parts, 16);
});

test("a verdict with a face and one that cannot be judged", () => {
  const message = parseServerMessage(server.verdict);
  assert.equal(message?.type, "verdict");
  assert.equal(message.frame_id, AGREED.header.frame_id);
  assert.equal(message.media_time, AGREED.header.media_time);
  assert.equal(message.captured_at, AGREED.header.captured_at);
  const [fake, small] = message.faces;
  assert.deepEqual(fake, {
    track: 1,
    box: [0.25, 0.125, 0.5, 0.5],
    probability: 0.93,
    verdict: "likely_fake",
    samples: 20,
    reasons: [],
    members: { grain: 0.9 },
    grounds: [{ member: "grain", looks_at: "noise", share: 1 }],
  });
  assert.equal(small.probability, null);
  assert.deepEqual(small.reasons, ["small_face"]);
});

test("a status", () => {
  assert.deepEqual(parseServerMessage(server.status), JSON.parse(server.status));
});

test("errors name the frame or the face, null for neither", () => {
  const frame = parseServerMessage(server.error);
  assert.equal(frame?.type, "error");
  assert.deepEqual([frame.code, frame.frame_id, frame.track], ["bad_frame", 7, null]);
  const face = parseServerMessage(server.explain_error);
  assert.equal(face?.type, "error");
  assert.deepEqual([face.frame_id, face.track], [null, 1]);
});

test("an explanation", () => {
  assert.deepEqual(parseServerMessage(server.explanation), JSON.parse(server.explanation));
});

test("a type from a later version is left alone", () => {
  assert.equal(parseServerMessage('{"type":"horoscope"}'), null);
});

/** @param {string} text @param {object} changes */
function changed(text, changes) {
  return JSON.stringify({ ...JSON.parse(text), ...changes });
}

const face = JSON.parse(server.verdict).faces[0];
/** @type {[string, string, RegExp][]} what is wrong, the message, what the error names */
const BAD = [
  ["no JSON", "hello?", /not JSON: hello\?/],
  ["a list", "[]", /not an object/],
  ["another protocol", changed(server.welcome, { protocol: 2 }), /protocol 2, this version speaks 1/],
  ["a rate of zero", changed(server.welcome, { sample_hz: 0 }), /sample_hz is 0/],
  ["a rate that is text", changed(server.welcome, { sample_hz: "10" }), /welcome\.sample_hz is "10"/],
  ["no faces", changed(server.verdict, { faces: null }), /verdict\.faces/],
  ["no frame", changed(server.verdict, { frame_id: undefined }), /verdict\.frame_id/],
  ["a face that is text", changed(server.verdict, { faces: ["x"] }), /a face is not an object/],
  ["a box of three", changed(server.verdict, { faces: [{ ...face, box: [0, 0, 1] }] }), /box is \[0,0,1\]/],
  ["a made-up verdict", changed(server.verdict, { faces: [{ ...face, verdict: "real" }] }), /"real"/],
  ["a probability of 2", changed(server.verdict, { faces: [{ ...face, probability: 2 }] }), /probability is 2/],
  ["three corners", changed(server.explanation, { corners: [[0, 0], [1, 0], [1, 1]] }), /corners/],
  ["a ragged grid", changed(server.explanation, { heat: [[0, 1], [0]] }), /grid of numbers/],
  ["an empty grid", changed(server.explanation, { heat: [] }), /small grid/],
  ["a huge grid", changed(server.explanation, { heat: Array(65).fill([0]) }), /small grid/],
];

for (const [what, text, named] of BAD) {
  test(`refused: ${what}`, () => {
    assert.throws(() => parseServerMessage(text), (error) => {
      assert.ok(error instanceof ProtocolError);
      assert.match(error.message, named);
      return true;
    });
  });
}

test("the socket's address follows the server's", () => {
  assert.equal(streamAddress("http://127.0.0.1:8765"), "ws://127.0.0.1:8765/v1/stream");
  assert.equal(streamAddress("https://example.org"), "wss://example.org/v1/stream");
});

test("what a proxy serves under a path is asked there", () => {
  for (const server of ["https://example.org/fl", "https://example.org/fl/"]) {
    assert.equal(addressOf(server, "/v1/stream"), "https://example.org/fl/v1/stream");
  }
  assert.equal(addressOf("http://127.0.0.1:8765", "/whip"), "http://127.0.0.1:8765/whip");
});
