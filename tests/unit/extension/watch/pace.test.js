import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { LOOK_MS, Pace } from "#extension/watch/pace.js";

let now = 0;
/** @type {Pace} */
let pace;

beforeEach(() => {
  now = 0;
  pace = new Pace(now);
});

/**
 * @param {number} looks so many times the pace is looked at
 * @param {{answer?: number, take?: number, share?: number}} [how]
 */
function run(looks, { answer = 30, take = 3, share = 1 } = {}) {
  for (const end = now + looks * LOOK_MS; now < end; ) {
    now += 100;
    pace.sentOne(take, now);
    if ((now / 100) % 10 < 10 * share) pace.answeredOne(answer, now);
  }
}

test("a server that keeps up is asked as often as pictures are due", () => {
  run(20);
  assert.equal(pace.isBusy, false);
  assert.equal(pace.mostPerSecond, Infinity);
});

for (const [what, how] of /** @type {[string, object][]} */ ([
  ["late answers", { answer: 2000 }],
  ["no answers", { share: 0 }],
  ["few answers", { share: 0.2 }],
  ["pictures that take long", { take: 300 }],
])) {
  test(`${what} slow it down step by step, to one a second and no further`, () => {
    run(3, how);
    assert.equal(pace.mostPerSecond, 5);
    run(10, how);
    assert.equal(pace.mostPerSecond, 1);
    assert.equal(pace.starving, true);
  });
}

test("a hiccup changes nothing", () => {
  run(5);
  run(1, { answer: 2000 });
  run(5);
  assert.equal(pace.isBusy, false);
});

test("it goes back by steps once there is room, and later each time that does not hold", () => {
  run(3, { answer: 2000 });
  const first = now;
  while (pace.isBusy) run(1);
  const took = now - first;
  run(3, { answer: 2000 });
  const second = now;
  while (pace.isBusy) run(1);
  assert.ok(now - second > 1.5 * took);
  run(60);
  run(3, { answer: 2000 });
  const third = now;
  while (pace.isBusy) run(1);
  assert.ok(now - third <= took + LOOK_MS, "what held for two minutes is forgiven");
});

test("just good enough is neither slowed down nor tried faster", () => {
  run(3, { answer: 2000 });
  assert.equal(pace.mostPerSecond, 5);
  run(30, { answer: 500 });
  assert.equal(pace.mostPerSecond, 5);
});

test("a starving one that gets answers is not starving", () => {
  run(20, { share: 0 });
  run(2);
  assert.equal(pace.starving, false);
  assert.equal(pace.isBusy, true);
});

test("a pause is not taken for a slow server", () => {
  pace.sentOne(3, 100);
  pace.sentOne(3, 200);
  now = 60_000;
  run(1);
  pace.reset(now);
  now += 60_000;
  run(3);
  assert.equal(pace.isBusy, false);
});
