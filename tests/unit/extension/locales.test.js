// Every text that the extension asks for is in _locales, in each language, and every text there is asked for.

import assert from "node:assert/strict";
import { test } from "node:test";

import { TONES } from "#extension/overlay/badge.js";
import { SENSITIVITIES, TRANSPORTS } from "#extension/shared/settings.js";
import { AGREED } from "./agreed.js";
import { FILES, read } from "./sources.js";

/** @typedef {Record<string, {message: string, placeholders?: Record<string, {content: string}>}>} Texts */
/** @type {Map<string, Texts>} by the language */
const ALL = new Map(
  FILES.flatMap((file) => {
    const [, language] = /^_locales\/(.+)\/messages\.json$/.exec(file) ?? [];
    return language ? [[language, JSON.parse(read(file))]] : [];
  }),
);
const texts = /** @type {Texts} */ (ALL.get("en"));
const TRANSLATED = [...ALL.keys()].filter((language) => language !== "en");
/** What reads alike in English and in another language. @type {Record<string, string[]>} */
const ALIKE = {
  de: ["details", "name", "options_server", "sensitivity_normal", "transport_webrtc", "transport_websocket"],
  es: ["name", "real", "sensitivity_normal", "transport_webrtc", "transport_websocket"],
};
/** What the stores take of a description. */
const LONGEST_DESCRIPTION = 132;
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
    "welcome_step_${}": ["look", "pair", "sample"].map((one) => `welcome_step_${one}`),
    "get_${}": ["linux", "mac", "windows"].map((one) => `get_${one}`),
    "report_${}": ["copied", "copied_text", "saved"].map((one) => `report_${one}`),
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

for (const [language, words] of ALL) {
  test(`${language}: every gap in a text is filled, and by what the text has a place for`, () => {
    for (const [key, { message, placeholders }] of Object.entries(words)) {
      const gaps = [...message.matchAll(/\$(\w+)\$/g)].map(([, name]) => name.toLowerCase());
      assert.deepEqual(gaps.sort(), Object.keys(placeholders ?? {}).sort(), key);
      assert.deepEqual(placeholders, texts[key]?.placeholders, key);
    }
  });

  test(`${language}: it says which language it is, and its description fits into the stores`, () => {
    assert.equal(words.language.message, language);
    assert.ok(words.description.message.length <= LONGEST_DESCRIPTION, `${words.description.message.length} characters`);
  });
}

test("the extension and the server's pages speak English, Spanish and German", () => {
  assert.deepEqual([...ALL.keys()].sort(), ["de", "en", "es"]);
});

for (const language of TRANSLATED) {
  const words = /** @type {Texts} */ (ALL.get(language));

  test(`${language}: every text is translated, and none besides, in the order of the English ones`, () => {
    assert.deepEqual(Object.keys(words), Object.keys(texts));
    const same = Object.keys(words).filter((key) => words[key].message === texts[key].message);
    assert.deepEqual(same.sort(), ALIKE[language]);
  });

  test(`${language}: a sentence ends as in English, and no space or mark is out of place`, () => {
    const end = (/** @type {string} */ text) => /[.:?]$/.exec(text)?.[0] ?? "";
    const differs = Object.keys(words).filter((key) => end(words[key].message) !== end(texts[key].message));
    assert.deepEqual(differs, []);
    const clean = Object.keys(words).filter((key) => /^\s|\s$| {2}|\.\.\.|"/.test(words[key].message));
    assert.deepEqual(clean, []);
  });
}

test("what people read stands in _locales, not in the pages and the code", () => {
  for (const file of FILES.filter((one) => one.endsWith(".html"))) {
    const page = read(file).replace(/<(title|script)[\s\S]*?<\/\1>/g, "");
    assert.deepEqual(page.replace(/<[^>]*>/g, "").match(/\p{L}+/gu), null, file);
    assert.deepEqual(page.match(/\b(?:aria-label|title|placeholder|alt)="[^"]+"/g), null, file);
  }
  const written = /(?:textContent|innerText|title|placeholder|ariaLabel) = (?:"[^"]*\p{L}{2}|`[^`$]*\p{L}{2})|"(?:aria-label|title)", (?:"|`[^`$]*\p{L}{2})/gu;
  for (const file of FILES.filter((one) => one.endsWith(".js"))) assert.deepEqual(read(file).match(written), null, file);
});
