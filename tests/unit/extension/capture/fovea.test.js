import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Fovea } from "#extension/capture/fovea.js";

const HD = { width: 1920, height: 1080 };
const WHOLE = { width: 960, height: 540, rect: { video: [1920, 1080], parts: [{ of: [0, 0, 1920, 1080] }] } };
const SMALL = [640, 360];

/** @type {Fovea} */
let fovea;
beforeEach(() => {
  fovea = new Fovea();
  fovea.parts = 16;
});

/** @param {number} time seconds @param {...[number, number, number, number?]} faces middle and side in pixels, track */
function seen(time, ...faces) {
  const message = {
    type: "verdict",
    media_time: time,
    faces: faces.map(([x, y, side, track = 1]) => ({
      track,
      box: [(x - side / 2) / 1920, (y - side / 2) / 1080, side / 1920, side / 1080],
    })),
  };
  fovea.saw(/** @type {any} */ (message));
}

/** @param {number} time seconds @returns {{parts: any[], whole: boolean}} */
function planned(time) {
  const { rect } = fovea.plan(HD, time, 1000 * time);
  const parts = rect?.parts ?? [];
  return { parts, whole: parts.some(({ of }) => of[2] === 1920) };
}

test("a server that knows of no parts, and a video that is sent as it is, go as ever", () => {
  fovea.parts = 0;
  assert.deepEqual(fovea.plan(HD, 0, 0), { width: 960, height: 540 });
  fovea.parts = 16;
  assert.deepEqual(fovea.plan({ width: 640, height: 360 }, 0, 0), { width: 640, height: 360 });
  seen(0.1, [300, 200, 150]);
  assert.deepEqual(fovea.plan({ width: 960, height: 540 }, 0.2, 200), { width: 960, height: 540 });
});

test("all of it until a face is known, and again once none is", () => {
  assert.deepEqual(fovea.plan(HD, 0, 0), WHOLE);
  seen(0.1);
  assert.deepEqual(fovea.plan(HD, 0.2, 200), WHOLE);
  seen(0.2, [960, 540, 120]);
  assert.deepEqual(planned(0.3).parts[0], { of: [856, 440, 208, 208], at: [0, 0, 208, 208] });
  seen(0.4);
  assert.deepEqual(fovea.plan(HD, 0.5, 500), WHOLE);
});

test("the whole beside the cut-outs once a second", () => {
  const wholes = [];
  for (let beat = 0; beat < 35; beat++) {
    const { parts, whole } = planned(beat / 10);
    if (whole && beat > 1) {
      wholes.push(beat);
      assert.deepEqual(parts[1].at.slice(2), SMALL);
    }
    seen(beat / 10, [960, 540, 120]);
  }
  assert.deepEqual(wholes, [11, 21, 31]);
});

test("the whole at once when a face goes, comes, or stands at the edge", () => {
  planned(0);
  seen(0, [960, 540, 120], [1500, 540, 120, 2]);
  assert.ok(planned(0.1).whole);
  assert.ok(!planned(0.2).whole);
  seen(0.2, [960, 540, 120]);
  assert.ok(planned(0.3).whole, "one went");
  seen(0.3, [960, 540, 120, 3]);
  assert.ok(planned(0.4).whole, "another came");
  seen(0.4, [1040, 540, 120, 3]);
  assert.ok(planned(0.5).whole, "it is beyond its cut-out");
  seen(0.5, [1042, 540, 120, 3]);
  assert.ok(!planned(0.6).whole);
});

test("another size begins with all of it", () => {
  planned(0);
  seen(0, [960, 540, 120]);
  assert.equal(fovea.plan({ width: 1280, height: 720 }, 0.1, 100).rect?.parts.length, 1);
  assert.deepEqual(fovea.plan({ width: 1280, height: 720 }, 0.2, 200).rect?.parts[0].of, [0, 0, 1280, 720]);
});

test("a cut-out stays where it is while its face stays in it, and goes along with one that moves", () => {
  planned(0);
  seen(0, [960, 540, 120]);
  const [first] = planned(0.1).parts;
  seen(0.1, [962, 541, 120]);
  assert.deepEqual(planned(0.2).parts[0].of, first.of);
  let late = 0;
  for (let beat = 2; beat < 20; beat++) {
    const x = 960 + 25 * (beat - 2);
    seen(beat / 10, [x, 540, 120]);
    const [left, , width] = planned((beat + 1) / 10).parts[0].of;
    const now = x + 25;
    if (!(left <= now - 60 && now + 60 <= left + width)) late++;
  }
  assert.ok(late <= 2, `the face was ${late} times beyond its cut-out`);
});

test("where it does not pay, all of it: a crowd, and six large faces", () => {
  planned(0);
  seen(0, ...[0, 1, 2, 3, 4, 5, 6].map((i) => /** @type {[number, number, number, number]} */ ([150 + 260 * i, 540, 110, i])));
  assert.deepEqual(fovea.plan(HD, 0.1, 100), WHOLE);
  seen(0.2, ...[0, 1, 2, 3, 4, 5].map((i) => /** @type {[number, number, number, number]} */ ([160 + 320 * i, 540, 200, i])));
  assert.deepEqual(fovea.plan(HD, 0.3, 300), WHOLE);
});

test("one large face pays: it is sent no larger than is of use", () => {
  planned(0);
  seen(0, [960, 540, 700]);
  planned(0.1); // with the whole
  const { width, height } = fovea.plan(HD, 0.2, 200);
  assert.ok(width * height < 0.35 * 960 * 540);
});

test("faces that could not be judged even in full are not cut out", () => {
  planned(0);
  seen(0, [960, 540, 40]);
  assert.deepEqual(fovea.plan(HD, 0.1, 100), WHOLE);
});

test("answers that are old say nothing of where faces are", () => {
  planned(0);
  seen(0, [960, 540, 120]);
  assert.deepEqual(fovea.plan(HD, 3, 3000), WHOLE);
  fovea.forget();
  assert.deepEqual(fovea.plan(HD, 3.1, 3100), WHOLE);
});

test("a browser that is slow to cut out sends all of it, and tries again later", () => {
  planned(0);
  for (let beat = 0; beat < 9; beat++) {
    fovea.took(4, 0);
    seen(beat / 10, [960, 540, 120]);
    planned(beat / 10 + 0.05);
    fovea.took(60, 100 * beat);
  }
  seen(1, [960, 540, 120]);
  assert.deepEqual(fovea.plan(HD, 1.1, 1100), WHOLE);
  seen(40, [960, 540, 120]);
  assert.equal(planned(40.1).parts[0].of[2], 208);
});
