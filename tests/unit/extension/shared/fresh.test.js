import assert from "node:assert/strict";
import { test } from "node:test";

import { Fresh } from "#extension/shared/fresh.js";

test("an answer is to a question that was put after it was wanted; one question serves all who wait", async () => {
  /** @type {((answer: string) => void)[]} */
  const questions = [];
  /** @type {() => Promise<string>} */
  const ask = () => new Promise((resolve) => questions.push(resolve));
  const fresh = new Fresh(ask, 0);
  const first = [fresh.next(), fresh.next()];
  await new Promise(setImmediate);
  assert.equal(questions.length, 1);
  const late = fresh.next();
  await new Promise(setImmediate);
  assert.equal(questions.length, 1, "the one under way was put before");
  questions[0]("one");
  assert.deepEqual(await Promise.all(first), ["one", "one"]);
  await new Promise((resolve) => setTimeout(resolve, 5));
  questions[1]("two");
  assert.equal(await late, "two");
});

test("questions keep apart, and one that fails has no answer", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  let now = 0;
  context.mock.method(performance, "now", () => now);
  let asked = 0;
  const fresh = new Fresh(async () => {
    asked++;
    if (asked === 2) throw new Error("gone");
    return asked;
  }, 100);
  assert.equal(await fresh.next(), 1);
  const second = fresh.next();
  await new Promise(setImmediate);
  assert.equal(asked, 1);
  now = 100;
  context.mock.timers.tick(100);
  assert.equal(await second, null);
  assert.equal(asked, 2);
});
