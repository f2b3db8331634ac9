import assert from "node:assert/strict";
import { test } from "node:test";

import { setWords } from "#extension/shared/words.js";
import { linesOf } from "#extension/traces/report.js";
import { read } from "../sources.js";

setWords(JSON.parse(read("_locales/en/messages.json")));

/** @param {object} values @returns {string} */
function report(values = {}) {
  const entry = {
    title: "A page",
    site: "https://site.test",
    clock: "media",
    from: 9,
    to: 15,
    seenAt: Date.parse("2026-03-10T14:02"),
    probability: 0.93,
    extension: "1.2.3",
    server: { version: "4.5.6", models: ["one", "two"] },
    note: null,
    ...values,
  };
  return linesOf(/** @type {any} */ (entry)).join("\n");
}

test("a report says what, where, when, and what judged", () => {
  const text = report();
  for (const part of ["Likely fake, 93 %", "A page, https://site.test", "0:09 to 0:15", "2026"]) {
    assert.ok(text.includes(part), part);
  }
  for (const part of ["1.2.3", "4.5.6", "one, two", "It can be wrong"]) assert.ok(text.includes(part), part);
  assert.ok(!text.includes("You said"));
});

test("what is not known is left out, and a note goes along", () => {
  const text = report({ title: "", server: null, probability: null, note: "my brother", clock: "day" });
  for (const part of ["without a title", "Likely fake\n", "my brother", "Extension 1.2.3"]) {
    assert.ok(text.includes(part), part);
  }
  assert.ok(!text.includes("in the video") && !text.includes("%"));
});
