import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Covers } from "#extension/watch/covers.js";

/** @typedef {import("#extension/overlay/layout.js").Rect} Rect */

const VIDEO = { x: 100, y: 50, width: 960, height: 640 };
/** @type {any[]} what is drawn, from the top down; the video last */
let drawn;
/** @type {any} */
let page;
/** @type {Covers} */
let covers;

/** @param {Rect} box @param {string} [backgroundColor] @returns {any} */
function element(box, backgroundColor = "rgb(255, 255, 255)") {
  return {
    box, localName: "div", style: { backgroundColor, opacity: "1", backgroundImage: "none" },
    getBoundingClientRect: () => box, getRootNode: () => page, checkVisibility: () => true, matches: () => false,
    contains: () => false,
  };
}

beforeEach(() => {
  drawn = [element(VIDEO)];
  page = {
    elementsFromPoint: (/** @type {number} */ x, /** @type {number} */ y) =>
      drawn.filter(({ box }) => box.x <= x && x < box.x + box.width && box.y <= y && y < box.y + box.height),
    querySelectorAll: () => [],
  };
  Object.assign(globalThis, {
    ShadowRoot: class {}, document: page, getComputedStyle: (/** @type {any} */ one) => one.style,
  });
  covers = new Covers();
});

/** @param {Rect[]} faces */
const look = (...faces) => covers.on(drawn.at(-1), VIDEO, faces).covers;

test("what is larger than a twelfth by an eighth of the video is found within four looks, wherever it lies", () => {
  for (let x = VIDEO.x; x <= VIDEO.x + VIDEO.width - 81; x += 13) {
    for (let y = VIDEO.y; y <= VIDEO.y + VIDEO.height - 81; y += 17) {
      const box = { x, y, width: 81, height: 81 };
      drawn = [element(box), drawn.at(-1)];
      covers = new Covers();
      const found = [1, 2, 3, 4].filter(() => look().length > 0);
      assert.ok(found.length > 0, `${x} ${y}`);
    }
  }
});

test("what was found once stays found for as long as it is there, and where it moves to", () => {
  const box = { x: 300, y: 300, width: 30, height: 30 };
  drawn.unshift(element(box));
  assert.deepEqual(look(), [], "no point is on it");
  assert.deepEqual(look({ x: 290, y: 290, width: 50, height: 50 }), [box]);
  for (let looks = 0; looks < 8; looks++) {
    box.x += 11;
    assert.deepEqual(look(), [box]);
  }
  drawn[0].style.backgroundColor = "transparent";
  assert.deepEqual(look(), []);
  drawn.shift();
  assert.deepEqual(look(), []);
});

test("on a face the first look finds what covers a quarter of its sides", () => {
  const face = { x: 412, y: 233, width: 80, height: 80 };
  for (let place = 0; place < 60; place += 7) {
    const box = { x: face.x + place, y: face.y + (place % 59), width: 21, height: 21 };
    drawn = [element(box), drawn.at(-1)];
    covers = new Covers();
    assert.deepEqual(look(face), [box]);
  }
});

test("what lies under the video, or beside it, is none", () => {
  drawn.push(element({ x: 0, y: 0, width: 1400, height: 900 }));
  const video = drawn[0];
  const beside = element({ x: 0, y: 50, width: 100, height: 400 });
  drawn.unshift(beside);
  for (let n = 0; n < 8; n++) {
    assert.deepEqual(covers.on(video, VIDEO, [{ x: 40, y: 60, width: 90, height: 90 }]).covers, []);
  }
});
