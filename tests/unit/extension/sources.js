// The extension's own files, read as text.

import { readFileSync, readdirSync, statSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../extension", import.meta.url));

/** @param {string} folder @returns {string[]} */
function below(folder) {
  return readdirSync(path.join(ROOT, folder)).flatMap((name) => {
    const file = path.posix.join(folder, name);
    return statSync(path.join(ROOT, file)).isDirectory() ? below(file) : [file];
  });
}

/** Every file, by its path within the extension. */
export const FILES = below("");

/** @param {string} file @returns {string} */
export function read(file) {
  return readFileSync(path.join(ROOT, file), "utf8");
}

/** @type {any} */
export const MANIFEST = JSON.parse(read("manifest.json"));

/**
 * @param {string} file
 * @returns {{runs: string[], knows: string[]}} the modules that it imports, and those whose types
 *     it names
 */
export function importsOf(file) {
  const text = read(file);
  /** @param {RegExp} pattern */
  const found = (pattern) =>
    [...text.matchAll(pattern)].map(([, target]) => path.posix.join(path.posix.dirname(file), target));
  return {
    runs: [...found(/\bfrom "(\.[^"]+)"/g), ...found(/new URL\("(\.[^"]+)", import\.meta\.url\)/g)],
    knows: found(/\bimport\("(\.[^"]+)"\)/g),
  };
}

/**
 * @param {string} folder relative to this file
 * @returns {string[]} the texts of the scripts in it, and below it
 */
export function readAll(folder) {
  const start = fileURLToPath(new URL(folder, import.meta.url));
  return readdirSync(start, { withFileTypes: true }).flatMap((entry) => {
    const name = path.join(start, entry.name);
    if (entry.isDirectory()) return readAll(name);
    return /\.(js|py)$/.test(name) ? [readFileSync(name, "utf8")] : [];
  });
}
