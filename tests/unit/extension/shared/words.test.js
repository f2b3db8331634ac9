import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, test } from "node:test";

import { SENSES, accuracyWords, becauseWords, percent, reasonWords, say, setWords, shareWords, verdictWords } from "#extension/shared/words.js";
import { AGREED } from "../agreed.js";

const messages = JSON.parse(
  readFileSync(new URL("../../../../extension/_locales/en/messages.json", import.meta.url), "utf8"),
);

afterEach(() => {
  setWords({});
  Reflect.deleteProperty(globalThis, "chrome");
});

test("on the server's page the words come from the same file", () => {
  setWords(messages);
  assert.equal(say("verdict_likely_fake"), "Likely fake");
  assert.equal(say("card_summary", "93 %"), "93 % probability that this face is manipulated.");
});

test("in the extension the browser's own words win", () => {
  setWords({ close: { message: "from the file" } });
  const getMessage = (/** @type {string} */ key, /** @type {string[]} */ parts) => [key, ...parts].join("|");
  Reflect.set(globalThis, "chrome", { i18n: { getMessage } });
  assert.equal(say("close"), "close");
  assert.equal(say("seconds_ago", "30"), "seconds_ago|30");
});

test("a key without words is shown rather than nothing", () => {
  assert.equal(say("unheard_of"), "unheard_of");
  setWords({ gap: { message: "$WHAT$ of $1" } });
  assert.equal(say("gap"), " of ");
});

test("never 0 and never 100 per cent", () => {
  setWords(messages);
  assert.deepEqual([0, 0.004, 0.5, 0.996, 1].map(percent), ["1 %", "1 %", "50 %", "99 %", "99 %"]);
});

test("a reason that this version does not know is shown as it came", () => {
  setWords(messages);
  assert.equal(reasonWords("small_face", "short"), "face too small");
  assert.match(reasonWords("small_face", "long"), /larger player/);
  assert.equal(reasonWords("solar_eclipse", "short"), "solar eclipse");
  assert.equal(reasonWords("solar_eclipse", "long"), "solar eclipse");
});

test("a verdict and what it rests on are told as the server tells them", () => {
  setWords(messages);
  assert.deepEqual(SENSES, AGREED.senses);
  for (const { verdict, probability, grounds, words, because } of AGREED.told) {
    assert.equal(verdictWords(verdict, probability), words);
    assert.equal(becauseWords(verdict, grounds), because);
  }
});

test("one scale: a figure stands only where the words say that a face may be fake", () => {
  setWords(messages);
  const told = /** @type {const} */ ([["likely_fake", 0.93], ["unsure", 0.6], ["unsure", 0.4], ["likely_real", 0.1], ["gathering", null]]);
  assert.deepEqual(told.map(([verdict, p]) => shareWords(verdict, p)), ["93 %", "60 %", "", "", ""]);
});

test("how often it was right is said in the figures that came with the models, or not at all", () => {
  setWords(messages);
  const figures = { real: 140, real_flagged: 6, fake: 83, fake_flagged: 43 };
  assert.match(accuracyWords(figures), /on 223 videos, it flagged 43 of 83 fakes, and 6 of 140 real/);
  assert.equal(accuracyWords(null), "");
});
