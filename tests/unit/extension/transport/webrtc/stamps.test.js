import assert from "node:assert/strict";
import { test } from "node:test";

import { Stamps } from "#extension/transport/webrtc/stamps.js";

const STEP_MS = 100.4;
/** Two seconds before RTP's clock wraps. */
const ORIGIN = 2 ** 32 - 90 * 2000;

/** @param {number} time milliseconds @returns {number} what the browser makes of a frame's time */
function rtp(time) {
  return (Math.round(time) * 90 + ORIGIN) % 2 ** 32;
}

/** @param {Stamps} stamps @param {number} id @param {number} time */
function send(stamps, id, time) {
  if (!stamps.admits(time)) return false;
  stamps.note(time, { frame_id: id, media_time: id / 10, captured_at: id, width: 1, height: 1 });
  return true;
}

test("until the offset is known one frame is under way at a time", () => {
  const stamps = new Stamps();
  assert.equal(send(stamps, 0, 0), true);
  assert.equal(send(stamps, 1, 100), false);
  stamps.stamped(rtp(0));
  assert.equal(send(stamps, 2, 200), true);
  assert.equal(send(stamps, 3, 300), true);
});

test("a first frame that was never encoded is given up", () => {
  const stamps = new Stamps();
  send(stamps, 0, 0);
  assert.equal(send(stamps, 1, 740), true);
  stamps.stamped(rtp(740));
  assert.equal(stamps.own({ frame_id: rtp(740) })?.frame_id, 1);
});

test("frames are known again through gaps and through the wrap of RTP's clock", () => {
  const stamps = new Stamps();
  /** @param {number} id */
  const time = (id) => id * STEP_MS;
  for (let id = 0; id < 40; id++) {
    assert.equal(send(stamps, id, time(id)), true);
    if (id % 5 || id === 0) stamps.stamped(rtp(time(id)));
  }
  /** @param {number} id */
  const named = (id) => stamps.own({ frame_id: rtp(time(id)) })?.frame_id ?? null;
  assert.deepEqual([1, 5, 19, 39].map(named), [1, null, 19, 39]);
  assert.equal(stamps.own({ frame_id: 1 }), null);
});

test("the verdict comes back under the page's names, otherwise as it was", () => {
  const stamps = new Stamps();
  send(stamps, 7, 50);
  stamps.stamped(rtp(50));
  const verdict = { type: "verdict", frame_id: rtp(50), media_time: 99, captured_at: null, faces: ["x"] };
  assert.deepEqual(stamps.own(verdict), {
    type: "verdict",
    frame_id: 7,
    media_time: 0.7,
    captured_at: 7,
    faces: ["x"],
  });
});

test("when nothing fits any more the offset is sought anew", () => {
  const stamps = new Stamps();
  send(stamps, 0, 0);
  stamps.stamped(rtp(0));
  send(stamps, 1, 100);
  for (let i = 0; i < 4; i++) stamps.stamped(rtp(50_000 + i * 1000));
  assert.equal(send(stamps, 2, 200), true);
  assert.equal(send(stamps, 3, 300), false);
  stamps.stamped((rtp(200) + 12345) % 2 ** 32);
  assert.equal(stamps.own({ frame_id: (rtp(200) + 12345) % 2 ** 32 })?.frame_id, 2);
});
