import assert from "node:assert/strict";
import { test } from "node:test";

import { SPAN_S, drawTimeline, remember } from "#extension/overlay/timeline.js";
import { LOOKS } from "#extension/overlay/look.js";

/** @typedef {import("#extension/overlay/timeline.js").Point} Point */

/** @param {number} time @param {number|null} probability @returns {Point} */
function point(time, probability) {
  const verdict = (probability ?? 0) > 0.5 ? "likely_fake" : "likely_real";
  return { time, probability, verdict };
}

/** @param {Point[]} points @returns {{colour: string, path: [number, number][]}[]} the strokes */
function strokes(points) {
  /** @type {{colour: string, path: [number, number][]}[]} */
  const found = [];
  /** @type {[number, number][]} */
  let path = [];
  const context = {
    strokeStyle: "",
    scale() {},
    setLineDash() {},
    beginPath: () => (path = []),
    /** @param {number} x @param {number} y */
    moveTo: (x, y) => path.push([x, y]),
    /** @param {number} x @param {number} y */
    lineTo: (x, y) => path.push([x, y]),
    stroke() {
      found.push({ colour: this.strokeStyle, path });
    },
  };
  const canvas = { clientWidth: 304, clientHeight: 104, width: 0, height: 0, getContext: () => context };
  drawTimeline(/** @type {any} */ (canvas), points, { grid: false });
  return found.slice(1); // without the line in the middle
}

test("points leave with the span", () => {
  /** @type {Point[]} */
  const points = [];
  for (let time = 0; time <= SPAN_S + 5; time++) remember(points, point(time, 0.5));
  assert.equal(points[0].time, 5);
  assert.equal(points.at(-1)?.time, SPAN_S + 5);
});

test("the newest point stands at the right edge, certainty at the top", () => {
  const [{ path }] = strokes([point(0, 0.75), point(SPAN_S, 1)]);
  assert.deepEqual(path.at(-1), [302, 2]);
  assert.deepEqual(path[0], [2, 27]);
});

test("one stroke per colour", () => {
  const found = strokes([0.9, 0.8, 0.9, 0.1, 0.2, 0.9].map((value, index) => point(index, value)));
  const { likely_fake: fake, likely_real: real } = LOOKS;
  assert.deepEqual(found.map(({ colour }) => colour), [fake.colour, real.colour, fake.colour]);
});

test("where nothing was known the line has a gap", () => {
  const found = strokes([point(0, 0.9), point(1, 0.9), point(2, null), point(3, 0.9), point(4, 0.9)]);
  assert.equal(found.length, 2);
  const [before, after] = found.map(({ path }) => path);
  assert.ok(after[0][0] > before[before.length - 1][0]);
});

test("no points, no strokes", () => {
  assert.deepEqual(strokes([]), []);
});
