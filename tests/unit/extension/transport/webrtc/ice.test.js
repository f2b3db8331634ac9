import assert from "node:assert/strict";
import { test } from "node:test";

import { answerWith, fragmentOf } from "#extension/transport/webrtc/ice.js";

/** @param {string} name @param {string[]} candidates */
function media(name, candidates) {
  return [`a=ice-ufrag:${name}`, `a=ice-pwd:${name}-pwd`, ...candidates.map((one) => `a=candidate:${one}`)];
}

const HEAD = ["v=0", "m=video 9 UDP/TLS/RTP/SAVPF 96", "a=mid:0"];
const DATA = ["m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=mid:1"];
const TAIL = ["a=fingerprint:sha-256 AA", ""];

test("a fragment holds the credentials and candidates, each once", () => {
  const offer = [...HEAD, ...media("new", ["1 udp"]), ...DATA, ...media("new", ["1 udp", "2 udp"]), ...TAIL];
  assert.equal(fragmentOf(offer.join("\r\n")), `${media("new", ["1 udp", "2 udp"]).join("\r\n")}\r\n`);
});

test("the answer takes over the server's new path in every part, and nothing else", () => {
  const answer = [...HEAD, ...media("old", ["1 udp"]), "a=end-of-candidates", ...DATA, ...media("old", []), ...TAIL];
  const changed = answerWith(answer.join("\r\n"), media("new", ["7 udp", "8 udp"]).join("\r\n")).split("\r\n");
  const path = ["a=candidate:7 udp", "a=candidate:8 udp", "a=ice-ufrag:new", "a=ice-pwd:new-pwd"];
  assert.deepEqual(changed, [...HEAD, ...path, ...DATA, ...path, ...TAIL]);
});

test("lines may end in either way", () => {
  const answer = [...HEAD, ...media("old", []), ...TAIL];
  const fragment = media("new", []).join("\n");
  assert.equal(answerWith(answer.join("\n"), fragment), answerWith(answer.join("\r\n"), fragment));
});
