import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { isOwnPicture } from "#extension/capture/own_picture.js";
import { trackNameOf, trackOf } from "#extension/capture/track.js";

class ShadowRoot {}
/** @type {Map<object, {transform?: string}>} */
const styles = new Map();
const BROWSER = { ShadowRoot, getComputedStyle: (/** @type {object} */ one) => ({ transform: "none", ...styles.get(one) }) };
before(() => Object.assign(globalThis, BROWSER));
after(() => {
  for (const name of Object.keys(BROWSER)) Reflect.deleteProperty(globalThis, name);
});

/** @param {string} label @param {object} [settings] @param {string} [readyState] */
function track(label, settings = {}, readyState = "live") {
  return { id: label, label, readyState, getSettings: () => settings };
}

/** @param {ReturnType<typeof track>[]} tracks @param {{muted?: boolean, transform?: string}} [options] @returns {any} */
function video(tracks, { muted = true, transform = "none" } = {}) {
  const made = { srcObject: { getVideoTracks: () => tracks }, muted };
  styles.set(made, { transform });
  return made;
}
const MIRROR = "matrix(-1, 0, 0, 1, 0, 0)";

// As Chromium 156 and Firefox 140 describe their tracks.
const CAMERA = { deviceId: "927c7b", groupId: "ad990a", width: 640 };
const SCREEN = { deviceId: "screen:0", displaySurface: "monitor" };
const CANVAS = { deviceId: "WAc6eW", frameRate: 25 };

test("cameras and screens of this computer are its own, mirrored or not", () => {
  assert.ok(isOwnPicture(video([track("fake_device_0", CAMERA)], { muted: false })));
  assert.ok(isOwnPicture(video([track("Default Video Device", CAMERA)], { transform: MIRROR })));
  assert.ok(isOwnPicture(video([track("screen:0:0", SCREEN)])));
});

test("what comes over a connection is not, however it is shown", () => {
  assert.ok(!isOwnPicture(video([track("remote video", { deviceId: "6c22f1" })], { transform: MIRROR })));
  assert.ok(!isOwnPicture(video([track("remote video", {})])));
});

test("a picture made of the own camera is known by how it is shown", () => {
  assert.ok(isOwnPicture(video([track("WAc6eW", CANVAS)], { transform: MIRROR })));
  assert.ok(isOwnPicture(video([track("", {})], { transform: MIRROR })));
  assert.ok(!isOwnPicture(video([track("", {})])));
  assert.ok(!isOwnPicture(video([track("", {})], { muted: false, transform: MIRROR })));
});

test("a file is nobody's own picture", () => {
  assert.ok(!isOwnPicture(/** @type {any} */ ({ srcObject: null, muted: true })));
  assert.equal(trackOf(/** @type {any} */ ({ srcObject: {} })), null, "a source that is no stream");
});

test("the track that is live is the one that is shown", () => {
  const [ended, live] = [track("a", {}, "ended"), track("b")];
  assert.equal(trackOf(video([ended, live])), live);
  assert.equal(trackOf(video([ended])), ended);
  assert.equal(trackOf(video([])), null);
});

test("the two ends of a connection within a page are not taken for one", () => {
  const [sent, received] = [track("a", CAMERA), track("a", { deviceId: "a" })];
  assert.notEqual(trackNameOf(video([sent])), trackNameOf(video([received])));
  assert.equal(trackNameOf(video([sent])), trackNameOf(video([sent])), "on another element");
  assert.equal(trackNameOf(video([])), null);
});
