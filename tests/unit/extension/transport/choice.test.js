import assert from "node:assert/strict";
import { test } from "node:test";

import { Uplink, firstTransport, webrtcWorks } from "#extension/transport/choice.js";

const HERE = "http://127.0.0.1:8765";
const THERE = "https://fakelight.example";

/** @type {["auto"|"websocket"|"webrtc", string, boolean, "websocket"|"webrtc"][]} setting, server, means, choice */
const CHOICES = [
  ["auto", HERE, true, "websocket"],
  ["auto", "http://localhost:8765", true, "websocket"],
  ["auto", THERE, true, "webrtc"],
  ["auto", THERE, false, "websocket"],
  ["websocket", THERE, true, "websocket"],
  ["webrtc", HERE, true, "webrtc"],
  ["webrtc", HERE, false, "websocket"],
];

for (const [setting, server, works, chosen] of CHOICES) {
  test(`${setting} to ${server} ${works ? "with" : "without"} the means: ${chosen}`, () => {
    assert.equal(firstTransport(setting, server, works), chosen);
  });
}

test("a browser has the means when it has all of them", () => {
  assert.equal(webrtcWorks(), false);
  const names = ["RTCPeerConnection", "MediaStreamTrackGenerator", "RTCRtpScriptTransform", "VideoFrame"];
  try {
    for (const name of names) {
      assert.equal(webrtcWorks(), false, `without ${name}`);
      Reflect.set(globalThis, name, class {});
    }
    assert.equal(webrtcWorks(), true);
  } finally {
    for (const name of names) Reflect.deleteProperty(globalThis, name);
  }
});

/** @param {number} share of ten frames that are not sent in time @param {number} [frames] */
function uplink(share, frames = 60) {
  const found = new Uplink();
  for (let i = 0; i < frames; i++) found.note(i % 10 >= share * 10, i / 10);
  return found;
}

test("an uplink is thin when most frames are not sent in time", () => {
  assert.deepEqual([0, 0.3, 0.7].map((share) => uplink(share).isThin), [false, false, true]);
});

test("a few frames prove nothing", () => {
  assert.equal(uplink(1, 29).isThin, false);
  assert.equal(uplink(1, 30).isThin, true);
});

test("what is long past is forgotten", () => {
  const found = uplink(1);
  for (let i = 60; i < 130; i++) found.note(true, i / 10);
  assert.equal(found.isThin, false);
});
