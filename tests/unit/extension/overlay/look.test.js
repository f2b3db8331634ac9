import assert from "node:assert/strict";
import { test } from "node:test";

import { LOOKS, drawBox } from "#extension/overlay/look.js";
import { VERDICTS } from "#extension/protocol/messages.js";

/** Notes what is drawn with it. */
class Pen {
  constructor() {
    /** @type {{colour: string, width: number, dash: string}[]} */
    this.drawn = [];
    this.strokeStyle = "";
    this.lineWidth = 0;
    this.lineCap = "";
    this.lineJoin = "";
    /** @type {number[]} */
    this.dash = [];
  }
  /** @param {number[]} dash */
  setLineDash(dash) {
    this.dash = dash;
  }
  beginPath() {}
  roundRect() {}
  moveTo() {}
  lineTo() {}
  arcTo() {}
  stroke() {
    this.drawn.push({ colour: this.strokeStyle, width: this.lineWidth, dash: this.dash.join("-") });
  }
}

/** @param {import("#extension/protocol/messages.js").Verdict} verdict @param {number} size */
function drawn(verdict, size) {
  const pen = new Pen();
  drawBox(/** @type {any} */ (pen), { x: 0, y: 0, width: size, height: size }, verdict);
  return pen.drawn;
}

test("every verdict has a look", () => {
  assert.deepEqual(Object.keys(LOOKS).sort(), [...VERDICTS].sort());
});

test("colour is never the only difference", () => {
  const told = /** @type {const} */ (["likely_fake", "unsure", "likely_real", "not_enough_evidence"]);
  const shapes = told.map((verdict) =>
    drawn(verdict, 200).map(({ width, dash }) => `${width} ${dash}`).join(),
  );
  assert.equal(new Set(shapes).size, told.length, shapes.join(" | "));
  assert.equal(new Set(Object.values(LOOKS).map(({ icon }) => icon)).size, VERDICTS.length);
});

test("nothing is green: likely real is no seal", () => {
  for (const [verdict, { colour }] of Object.entries(LOOKS)) {
    const [red, green, blue] = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
    assert.ok(green <= Math.max(red, blue), `${verdict} is ${colour}`);
  }
});

test("each line lies on a wider dark one, and small boxes get thin ones", () => {
  for (const verdict of VERDICTS) {
    const lines = drawn(verdict, 200);
    const [under, over] = [lines.slice(0, lines.length / 2), lines.slice(lines.length / 2)];
    assert.ok(under.length > 0 && under.every(({ colour }) => colour.startsWith("rgba(0, 0, 0")));
    assert.ok(over.every(({ colour }) => colour === LOOKS[verdict].colour));
    over.forEach(({ width }, index) => assert.ok(under[index].width > width, verdict));
    assert.ok(drawn(verdict, 40)[0].width < under[0].width, verdict);
  }
});
