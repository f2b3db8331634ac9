import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { START_LINE, installLine, systemOf } from "#extension/welcome/lines.js";

/** @param {string} path in the repository */
const text = (path) => readFileSync(new URL(`../../../../${path}`, import.meta.url), "utf8");
const COMMAND = /** @type {RegExpExecArray} */ (/\[project\.scripts\]\n(\w+) = /.exec(text("pyproject.toml")))[1];

test("each system is told its own line, and where the server does not run there is none", () => {
  for (const [os, system] of [["linux", "linux"], ["mac", "mac"], ["win", "windows"], ["android", "elsewhere"], ["cros", "elsewhere"]]) {
    assert.equal(systemOf(os), system);
  }
  assert.equal(installLine("elsewhere"), "");
  const lines = /** @type {const} */ (["linux", "mac", "windows"]).map(installLine);
  assert.equal(new Set(lines).size, 3);
});

test("the lines call commands that there are", () => {
  assert.match(text("Makefile"), /^run: /m);
  const commands = text("stream_server/cli.py");
  for (const line of [START_LINE, installLine("mac"), installLine("windows")]) {
    const [, command, verb] = /** @type {RegExpExecArray} */ (/(\w+) (\w+)$/.exec(line));
    assert.equal(command, COMMAND, line);
    assert.match(commands, new RegExp(`"${verb}"`), line);
  }
});
