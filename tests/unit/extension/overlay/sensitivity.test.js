import assert from "node:assert/strict";
import { test } from "node:test";

import { alarmed, shownVerdict } from "#extension/overlay/sensitivity.js";
import { VERDICTS } from "#extension/protocol/messages.js";

/** @typedef {import("#extension/protocol/messages.js").Verdict} Verdict */

/** @param {Verdict} verdict @param {number|null} [probability] @returns {any} */
function face(verdict, probability = 0.6) {
  return { verdict, probability };
}

test("normal repeats the server", () => {
  for (const verdict of VERDICTS) assert.equal(shownVerdict("normal", face(verdict), 0), verdict);
});

test("calm waits three seconds before it says fake", () => {
  assert.equal(shownVerdict("calm", face("likely_fake"), 2.9), "unsure");
  assert.equal(shownVerdict("calm", face("likely_fake"), 3), "likely_fake");
});

test("alert takes the doubtful upper half for fake", () => {
  assert.equal(shownVerdict("alert", face("unsure", 0.5), 0), "likely_fake");
  assert.equal(shownVerdict("alert", face("unsure", 0.49), 0), "unsure");
});

test("no level calls a face fake that the server does not doubt", () => {
  for (const level of /** @type {const} */ (["calm", "normal", "alert"])) {
    for (const verdict of /** @type {const} */ (["gathering", "not_enough_evidence", "likely_real"])) {
      assert.equal(shownVerdict(level, face(verdict, null), 9), verdict);
    }
  }
});

test("one fake face is an alarm", () => {
  assert.equal(alarmed([]), false);
  assert.equal(alarmed([{ verdict: "unsure" }, { verdict: "likely_real" }]), false);
  assert.equal(alarmed([{ verdict: "unsure" }, { verdict: "likely_fake" }]), true);
});
