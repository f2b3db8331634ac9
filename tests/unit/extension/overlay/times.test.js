import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { flaggedWords, timeWords } from "#extension/overlay/times.js";
import { setWords } from "#extension/shared/words.js";

setWords(JSON.parse(readFileSync(new URL("../../../../extension/_locales/en/messages.json", import.meta.url), "utf8")));

test("times as players write them", () => {
  const words = [0, 9.9, 12, 75, 3600, 4225].map((seconds) => timeWords(seconds, "media"));
  assert.deepEqual(words, ["0:00", "0:09", "0:12", "1:15", "1:00:00", "1:10:25"]);
});

test("a call's times are those of the day", () => {
  const noon = new Date(2024, 0, 1, 12, 34, 56).getTime() / 1000;
  assert.match(timeWords(noon, "day"), /12.34.56/);
});

test("stretches in words", () => {
  const spans = [{ from: 12, to: 17.5 }, { from: 30, to: 30.5 }, { from: 40, to: 42 }];
  assert.equal(flaggedWords(spans.slice(0, 1), "media", 1), "Flagged at 0:12 to 0:17");
  assert.equal(flaggedWords(spans, "media", 3), "Flagged at 0:12 to 0:17, 0:30, 0:40 to 0:42");
  assert.equal(flaggedWords(spans, "media", 1), "Flagged at 0:12 to 0:17 and 2 more times");
});
