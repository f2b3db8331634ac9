import assert from "node:assert/strict";
import { test } from "node:test";

import { TrackClock } from "#extension/transport/webrtc/track.js";

test("frames keep the video's own rhythm though they are taken unevenly", () => {
  const clock = new TrackClock();
  const late = [0, 7, 1, 12, 3, 9];
  const times = late.map((by, index) => clock.time(40 + index / 10, 1000 + index * 100 + by));
  assert.deepEqual(times.slice(1).map((time, index) => time - times[index]), Array(5).fill(100_000));
});

test("far from real time the clock is set anew", () => {
  const clock = new TrackClock();
  clock.time(0, 1000);
  assert.equal(clock.time(60, 1100), 1_100_000); // a seek
  assert.equal(clock.time(60.1, 1200), 1_200_000);
});

test("time never goes back and never stands", () => {
  const clock = new TrackClock();
  let last = -Infinity;
  for (const [media, now] of [[5, 1000], [5, 1000], [4.9, 1001], [5.001, 1002], [0, 1003]]) {
    const time = clock.time(media, now);
    assert.ok(time >= last + 16_000, `${time} after ${last}`);
    last = time;
  }
});
