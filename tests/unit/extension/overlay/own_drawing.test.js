import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { OwnDrawing, drawnSince } from "#extension/overlay/own_drawing.js";

const at = (/** @type {number} */ x) => ({ x, y: 0, width: 10, height: 10 });
const places = (/** @type {number} */ asked) => [...new Set(drawnSince(asked).map(({ x }) => x))].sort((a, b) => a - b);

test("what was drawn while a picture was on its way is known, of every video, and forgotten in time", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  let label = 1;
  const drawing = new OwnDrawing(() => [at(label)]);
  const neighbour = new OwnDrawing(() => [at(50)]);
  drawing.changed(900);
  assert.deepEqual(drawing.past, [], "nothing is kept where no picture of the tab is judged");
  drawing.filmed = true;
  drawing.changed(1000);
  label = 2;
  drawing.changed(2000);
  label = 3;
  assert.deepEqual(places(2000), [1, 2, 3, 50], "the change is not on the screen at once");
  drawing.changed(2500);
  assert.deepEqual(places(2100), [1, 2, 3, 50]);
  assert.deepEqual(places(2600), [2, 3, 50]);
  assert.deepEqual(places(2900), [3, 50]);
  mock.method(performance, "now", () => 3000);
  drawing.end();
  assert.deepEqual(places(3100), [3, 50], "it may still be on a picture that was asked for before");
  context.mock.timers.tick(3000);
  neighbour.filmed = false;
  assert.deepEqual(places(3100), [50]);
  neighbour.end();
  context.mock.timers.tick(3000);
  assert.deepEqual(places(3100), []);
});
