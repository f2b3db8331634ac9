import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { isMirrored } from "#extension/shared/mirrored.js";

class ShadowRoot {
  /** @param {object} host */
  constructor(host) {
    this.host = host;
  }
}
/** @typedef {{transform?: string, scale?: string, rotate?: string}} Style */
const BROWSER = {
  ShadowRoot,
  getComputedStyle: (/** @type {{style: Style}} */ { style }) => ({ transform: "none", scale: "none", rotate: "none", ...style }),
};
before(() => Object.assign(globalThis, BROWSER));
after(() => {
  for (const name of Object.keys(BROWSER)) Reflect.deleteProperty(globalThis, name);
});

/** @param {Style} style @param {object|null} [around] @returns {any} */
function element(style, around = null) {
  return { style, parentNode: around, parentElement: around instanceof ShadowRoot ? null : around };
}

for (const [what, style, mirrored] of /** @type {[string, Style, boolean][]} */ ([
  ["as it is", {}, false],
  ["scaleX(-1)", { transform: "matrix(-1, 0, 0, 1, 0, 0)" }, true],
  ["rotateY(180deg)", { transform: "matrix3d(-1, 0, -1.22465e-16, 0, 0, 1, 0, 0, 1.22465e-16, 0, -1, 0, 0, 0, 0, 1)" }, true],
  ["the scale property", { scale: "-1 1" }, true],
  ["the rotate property", { rotate: "y 180deg" }, true],
  ["made smaller", { transform: "matrix(0.5, 0, 0, 0.5, 10, 20)", scale: "2" }, false],
  ["tilted", { transform: "matrix(0.94, 0.34, -0.34, 0.94, 0, 0)" }, false],
  ["mirrored twice", { transform: "matrix(-1, 0, 0, 1, 0, 0)", scale: "-1 1" }, false],
  ["on its side", { transform: "matrix(0, 1, -1, 0, 0, 0)" }, false],
])) {
  test(`${what} is ${mirrored ? "mirrored" : "not mirrored"}`, () => assert.equal(isMirrored(element(style)), mirrored));
}

test("a box around it mirrors it as well, shadow roots and slots included", () => {
  const mirror = element({ transform: "matrix(-1, 0, 0, 1, 0, 0)" });
  assert.ok(isMirrored(element({}, element({}, mirror))));
  assert.ok(isMirrored(element({}, new ShadowRoot(mirror))));
  assert.ok(isMirrored({ ...element({}, element({})), assignedSlot: element({}, mirror) }));
  assert.ok(!isMirrored(element({ scale: "-1" }, mirror)));
});
