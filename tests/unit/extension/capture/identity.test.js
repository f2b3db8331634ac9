import assert from "node:assert/strict";
import { test } from "node:test";

import { identityOf, trackOf } from "#extension/capture/identity.js";

/** @param {string} id @param {{readyState?: string, deviceId?: string}} [options] */
function track(id, { readyState = "live", deviceId } = {}) {
  return { id, readyState, getSettings: () => (deviceId === undefined ? {} : { deviceId }) };
}

/** @param {object|null} srcObject @param {string} [currentSrc] @returns {any} */
function video(srcObject, currentSrc = "") {
  return { srcObject, currentSrc };
}

/** @param {ReturnType<typeof track>[]} tracks */
function stream(...tracks) {
  return { getVideoTracks: () => tracks };
}

test("a track keeps its name on another element and in another stream", () => {
  const shared = track("a");
  assert.equal(identityOf(video(stream(shared))), identityOf(video(stream(track("b", { readyState: "ended" }), shared))));
  assert.notEqual(identityOf(video(stream(shared))), identityOf(video(stream(track("b")))));
});

test("the track that is live is the one that is shown", () => {
  const [ended, live] = [track("a", { readyState: "ended" }), track("b")];
  assert.equal(trackOf(video(stream(ended, live))), live);
  assert.equal(trackOf(video(stream(ended))), ended);
  assert.equal(trackOf(video(stream())), null);
});

test("the two ends of a connection within a page are not taken for one", () => {
  const sent = video(stream(track("a", { deviceId: "camera" })));
  assert.notEqual(identityOf(sent), identityOf(video(stream(track("a", { deviceId: "a" })))));
});

test("a file is named by its address, without the place in it", () => {
  assert.equal(identityOf(video(null, "https://a.test/v.mp4#t=20")), "address:https://a.test/v.mp4");
  assert.equal(identityOf(video(null)), null);
  assert.equal(identityOf(video({}, "https://a.test/before.mp4")), null, "a source of another kind has no name");
});
