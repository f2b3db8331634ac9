import assert from "node:assert/strict";
import { test } from "node:test";

import { eyesOf, labelSpot } from "#extension/overlay/spots.js";

/** @typedef {import("#extension/overlay/layout.js").Rect} Rect */

const LABEL = { width: 120, height: 34 };
const STAGE = { width: 640, height: 360 };

/** @param {Rect} a @param {Rect} b */
function meet(a, b) {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

/** What the side in use may lie on, for the sake of its staying there, left out. @param {Rect} rect @returns {Rect} */
function inner({ x, y, width, height }) {
  return { x: x + 6, y: y + 6, width: width - 12, height: height - 12 };
}

/** @param {Rect[]} boxes @param {{width: number, height: number}} [stage] */
function placed(boxes, stage = STAGE) {
  const eyes = boxes.map(eyesOf);
  /** @type {Rect[]} */
  const labels = [];
  const sides = boxes.map((box) => {
    const { x, y, side } = labelSpot(LABEL, box, stage, labels, eyes, "above");
    labels.push({ x, y, ...LABEL });
    return side;
  });
  return { labels, sides, eyes };
}

test("above the box where there is room, else below, else within its upper edge", () => {
  const tall = { x: 200, y: 10, width: 260, height: 340 };
  assert.deepEqual(placed([{ x: 200, y: 100, width: 80, height: 100 }]).sides, ["above"]);
  assert.deepEqual(placed([{ x: 200, y: 10, width: 80, height: 100 }]).sides, ["below"]);
  assert.deepEqual(placed([tall]).sides, ["inside"]);
});

test("a label lies on no eyes and on no other label, in the picture, wherever faces are", () => {
  let seed = 7;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  for (let round = 0; round < 300; round++) {
    const boxes = [0, 1, 2].map(() => {
      const width = 40 + 90 * random();
      return { x: random() * (640 - width), y: random() * (360 - 1.25 * width), width, height: 1.25 * width };
    });
    const { labels, eyes } = placed(boxes);
    for (const [n, label] of labels.entries()) {
      assert.ok(label.x >= 0 && label.y >= 0 && label.x + 120 <= 640 && label.y + 34 <= 360);
      assert.ok(!eyes.some((one) => meet(label, inner(one))), `round ${round}: ${JSON.stringify({ boxes, label })}`);
      assert.ok(!labels.some((other, m) => m !== n && meet(label, other)), `round ${round}`);
    }
  }
});

test("where a small picture is all face the label is still in it", () => {
  const { labels, sides } = placed([{ x: 20, y: 4, width: 120, height: 82 }], { width: 160, height: 90 });
  assert.deepEqual(sides, ["inside"]);
  assert.ok(labels[0].y >= 0 && labels[0].y + 34 <= 90);
});

test("a face at the limit does not make its label hop", () => {
  const box = { x: 200, y: 42, width: 80, height: 100 };
  assert.equal(labelSpot(LABEL, box, STAGE, [], [eyesOf(box)], "above").side, "above");
  assert.equal(labelSpot(LABEL, box, STAGE, [], [eyesOf(box)], "below").side, "below");
});
