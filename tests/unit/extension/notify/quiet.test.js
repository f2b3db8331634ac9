import assert from "node:assert/strict";
import { test } from "node:test";

import { isQuiet, isTime } from "#extension/notify/quiet.js";

/** @param {string} from @param {string} to @param {string} time by this machine's clock */
function quietAt(from, to, time) {
  return isQuiet({ on: true, from, to }, new Date(`2026-03-10T${time}`));
}

for (const [from, to, quiet, loud] of [
  ["13:00", "15:30", ["13:00", "15:29:59"], ["12:59:59", "15:30", "00:00"]],
  ["22:00", "07:00", ["22:00", "23:59:59", "00:00", "06:59:59"], ["07:00", "12:00", "21:59:59"]],
  ["00:00", "06:00", ["00:00", "05:59"], ["06:00", "23:59:59"]],
  ["18:00", "00:00", ["18:00", "23:59:59"], ["00:00", "17:59"]],
  ["09:00", "09:00", ["09:00", "08:59", "21:00"], []],
]) {
  test(`quiet from ${from} until ${to}`, () => {
    for (const time of quiet) assert.ok(quietAt(String(from), String(to), time), time);
    for (const time of loud) assert.ok(!quietAt(String(from), String(to), time), time);
  });
}

test("turned off, or with what is no time, nothing is quiet", () => {
  const now = new Date("2026-03-10T23:00");
  assert.ok(!isQuiet({ on: false, from: "22:00", to: "07:00" }, now));
  for (const time of ["", "24:00", "7:00", "22:60", "22:00:00"]) {
    assert.ok(!isTime(time), time);
    assert.ok(!isQuiet({ on: true, from: time, to: "07:00" }, now), time);
    assert.ok(!isQuiet({ on: true, from: "22:00", to: time }, now), time);
  }
  assert.ok(isTime("00:00") && isTime("23:59"));
});
