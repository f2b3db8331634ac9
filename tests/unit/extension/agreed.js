// What the server says and takes, as tests/support/agreed.py writes it.

import { readFileSync } from "node:fs";

export const AGREED = JSON.parse(readFileSync(new URL("./agreed.json", import.meta.url), "utf8"));

/** @param {string} text base 64 @returns {ArrayBuffer} */
export function bytesOf(text) {
  const { buffer, byteOffset, byteLength } = Uint8Array.from(Buffer.from(text, "base64"));
  return buffer.slice(byteOffset, byteOffset + byteLength);
}
