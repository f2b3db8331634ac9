// Every text that the extension asks for is in _locales, and every text there is asked for.

import assert from "node:assert/strict";
import { test } from "node:test";

import { TONES } from "#extension/overlay/badge.js";
import { SENSITIVITIES, TRANSPORTS } from "#extension/shared/settings.js";
import { AGREED } from "./agreed.js";
import { FILES, read } from "./sources.js";

const texts = JSON.parse(read("_locales/en/messages.json"));
const CODE = FILES.filter((file) => /\.(js|html)$/.test(file) || file === "manifest.json").map(read);

const CHOICES = { sensitivity: SENSITIVITIES, transport: TRANSPORTS };
/** What the keys that are put together come to, by how they are written. */
const FAMILIES = new Map(
  Object.entries({
    "verdict_${}": AGREED.verdicts.map((/** @type {string} */ one) => `verdict_${one}`),
    "reason_${}": AGREED.reasons.map((/** @type {string} */ one) => `reason_${one}`),
    "reason_${}_long": AGREED.reasons.map((/** @type {string} */ one) => `reason_${one}_long`),
    "looks_at_${}": AGREED.senses.map((/** @type {string} */ one) => `looks_at_${one}`),
    "because_${}_fake": AGREED.senses.map((/** @type {string} */ one) => `because_${one}_fake`),
    "because_${}_real": AGREED.senses.map((/** @type {string} */ one) => `because_${one}_real`),
    "state_${}": Object.keys(TONES).map((one) => `state_${one}`),
    "server_${}": ["ready", "unpaired", "rejected", "unreachable", "strange"].map((one) => `server_${one}`),
    "sensitivity_${}": SENSITIVITIES.map((one) => `sensitivity_${one}`),
    "sensitivity_${}_help": SENSITIVITIES.map((one) => `sensitivity_${one}_help`),
    "${}_${}": Object.entries(CHOICES).flatMap(([name, all]) => all.map((one) => `${name}_${one}`)),
    "${}_${}_help": Object.entries(CHOICES).flatMap(([name, all]) => all.map((one) => `${name}_${one}_help`)),
  }),
);

/** A name in lower case that is put together. */
const TEMPLATE = /`((?:[a-z]|_|\$\{[^}]*\})*_(?:[a-z]|_|\$\{[^}]*\})*)`/g;

/** The first argument of every call that takes a key. @returns {string[]} */
function firstArguments() {
  const found = [];
  for (const code of CODE) {
    for (const call of code.matchAll(/\b(?:say|getMessage|PairingError|AddressError|CheckError)\(/g)) {
      let depth = 0;
      let end = call.index + call[0].length;
      const start = end;
      for (; depth > 0 || !",)".includes(code[end]); end++) {
        if ("([{".includes(code[end])) depth++;
        if (")]}".includes(code[end])) depth--;
      }
      found.push(code.slice(start, end));
    }
  }
  return found;
}

/** @returns {Set<string>} */
function asked() {
  const keys = new Set();
  for (const argument of firstArguments()) {
    for (const [, key] of argument.matchAll(/"([a-z_]+)"/g)) keys.add(key);
  }
  for (const code of CODE) {
    for (const [, one, other] of code.matchAll(/data-say="(\w+)"|__MSG_(\w+)__/g)) keys.add(one ?? other);
    for (const [, template] of code.matchAll(TEMPLATE)) {
      const family = template.replace(/\$\{[^}]*\}/g, "${}");
      assert.ok(FAMILIES.has(family), `what keys does \`${template}\` come to?`);
      for (const key of FAMILIES.get(family)) keys.add(key);
    }
  }
  return keys;
}

test("no text is missing", () => {
  assert.deepEqual([...asked()].filter((key) => !(key in texts)).sort(), []);
});

test("no text is left over", () => {
  const keys = asked();
  assert.deepEqual(Object.keys(texts).filter((key) => !keys.has(key)), []);
});

test("every family of keys is in use", () => {
  const written = CODE.flatMap((code) => [...code.matchAll(TEMPLATE)].map(([, one]) => one.replace(/\$\{[^}]*\}/g, "${}")));
  assert.deepEqual([...FAMILIES.keys()].filter((family) => !written.includes(family)), []);
});

test("every gap in a text is filled, and by what the text has a place for", () => {
  for (const [key, { message, placeholders }] of Object.entries(texts)) {
    const gaps = [...message.matchAll(/\$(\w+)\$/g)].map(([, name]) => name.toLowerCase());
    assert.deepEqual(gaps.sort(), Object.keys(placeholders ?? {}).sort(), key);
  }
});
