// Mozilla's own linter over the zip that goes to its store: no errors, and each warning is one that
// is known and said to the store's reviewers (docs/publishing.md).

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const LINTER = join(root, "node_modules", "addons-linter", "bin", "addons-linter");
const MINUTES_5 = 300_000;

/**
 * @typedef {{code: string, file: string, message: string}} Remark
 * @typedef {{errors: Remark[], warnings: Remark[], notices: Remark[]}} Findings
 */

/** @param {string} zip @returns {Findings} */
function linted(zip) {
  const ran = spawnSync(process.execPath, [LINTER, "--output", "json", zip], {
    encoding: "utf8",
    timeout: MINUTES_5,
  });
  assert.ok(ran.stdout.startsWith("{"), ran.stderr);
  return JSON.parse(ran.stdout);
}

test("Mozilla's linter finds no error in the Firefox zip, and no warning that is not explained", () => {
  const folder = mkdtempSync(join(tmpdir(), "fakelight-lint-"));
  try {
    execFileSync("python3", ["-m", "scripts.pack_extension", folder], { cwd: root });
    const zip = readdirSync(folder).find((name) => name.includes("firefox"));
    assert.ok(zip);
    const found = linted(join(folder, zip));
    assert.deepEqual(found.errors, []);
    assert.deepEqual(found.notices, []);
    const page = readFileSync(join(root, "docs", "publishing.md"), "utf8");
    const explained = [...page.matchAll(/^\| `([A-Z_]+)` \| `([\w/.]+)` \| `?([^|`]+)`? \|/gm)].map(
      ([, code, file, what]) => ({ code, file, what }),
    );
    assert.ok(explained.length);
    /** @param {Remark} remark @param {{code?: string, file?: string, what?: string}} known */
    const isThat = (remark, known) =>
      remark.code === known.code && remark.file === known.file && remark.message.includes(known.what ?? "");
    for (const warning of found.warnings)
      assert.ok(
        explained.some((known) => isThat(warning, known)),
        `not explained in docs/publishing.md: ${warning.code} in ${warning.file}: ${warning.message}`,
      );
    for (const known of explained)
      assert.ok(
        found.warnings.some((warning) => isThat(warning, known)),
        `explained in docs/publishing.md and not found any more: ${known.what}`,
      );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
