// What docs/privacy.md promises about pictures is what the code does.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { LONGEST_SIDE } from "#extension/shared/limits.js";
import { SAMPLE_HZ } from "#extension/protocol/messages.js";
import { MOST_VIDEOS, SMALLEST } from "#extension/shared/limits.js";

const page = readFileSync(new URL("../../../docs/privacy.md", import.meta.url), "utf8").replace(/\s+/g, " ");
const NUMBERS = ["no", "one", "two", "three", "four", "five"];

for (const promise of [
  `up to ${SAMPLE_HZ} per second of video`,
  `longer side at most ${LONGEST_SIDE} pixels`,
  `a video of at least ${SMALLEST.width} by ${SMALLEST.height} pixels`,
  `at most ${NUMBERS[MOST_VIDEOS]} videos at a time`,
]) {
  test(`promised: ${promise}`, () => assert.ok(page.includes(promise)));
}
