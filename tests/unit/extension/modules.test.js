// How the extension's modules hang together: who may import whom, and what the manifest opens.

import assert from "node:assert/strict";
import { test } from "node:test";

import { CHECK_PAGE, CONTENT_SCRIPT, OFFSCREEN_PAGE, OWN_PAGES, RELAY_FRAME, WELCOME_PAGE } from "#extension/shared/paths.js";
import { FILES, MANIFEST, importsOf, read, readAll } from "./sources.js";

const MODULES = FILES.filter((file) => file.endsWith(".js"));

/** Every room, and the rooms whose modules it may import. */
const MAY_IMPORT = new Map(
  Object.entries({
    protocol: [],
    shared: ["protocol"],
    capture: ["protocol", "shared"],
    overlay: ["protocol", "shared"],
    notify: ["shared"],
    transport: ["capture", "protocol", "shared"],
    watch: ["capture", "offer", "overlay", "protocol", "shared", "transport"],
    offer: ["overlay", "shared"],
    offscreen: ["notify", "protocol", "shared", "transport"],
    traces: ["check", "overlay", "shared"],
    background: ["notify", "shared", "traces"],
    popup: ["shared", "traces", "transport"],
    options: ["notify", "shared", "transport"],
    check: ["shared"],
    welcome: ["overlay", "shared", "transport", "watch"],
  }),
);

/** @param {string} file */
function roomOf(file) {
  return file.split("/")[0];
}

/** @param {string[]} entries @returns {Set<string>} they and all that they import, directly or not */
function closure(entries) {
  const found = new Set(entries);
  for (const file of found) for (const target of importsOf(file).runs) found.add(target);
  return found;
}

test("every module lies in a room", () => {
  assert.deepEqual(new Set(MODULES.map(roomOf)), new Set(MAY_IMPORT.keys()));
});

for (const file of MODULES) {
  test(`${file} imports what is there, from rooms below its own`, () => {
    const { runs, knows } = importsOf(file);
    for (const target of [...runs, ...knows]) {
      assert.ok(FILES.includes(target), `${target} does not exist`);
      const allowed = [roomOf(file), ...(MAY_IMPORT.get(roomOf(file)) ?? [])];
      assert.ok(allowed.includes(roomOf(target)), `${roomOf(file)} may not import ${target}`);
    }
  });
}

test("no module imports itself by a detour", () => {
  for (const file of MODULES) {
    const reached = closure(importsOf(file).runs);
    assert.ok(!reached.has(file), `${file} is in a circle`);
  }
});

test("every module is used", () => {
  const pages = FILES.filter((file) => file.endsWith(".html"));
  const scripts = pages.flatMap((page) =>
    [...read(page).matchAll(/<script[^>]* src="([^"]+)"/g)].map(([, name]) => page.replace(/[^/]+$/, name)),
  );
  const entries = [...scripts, MANIFEST.background.service_worker, CONTENT_SCRIPT, "watch/watcher.js", "offer/offer.js"];
  // The server's live page sends by itself; its own type check follows its imports.
  const used = closure([...entries, "transport/direct.js"]);
  for (const file of MODULES) for (const target of importsOf(file).knows) used.add(target);
  assert.deepEqual(MODULES.filter((file) => !used.has(file)), []);
});

test("every exported name is used by another file", () => {
  const others = ["../../../stream_server/web/static", "../../e2e", "."].flatMap(readAll);
  /** @type {string[]} */
  const unused = [];
  for (const file of MODULES) {
    const texts = [...MODULES.filter((other) => other !== file).map(read), ...others];
    for (const [, name] of read(file).matchAll(/^export (?:async )?(?:const|class|function) (\w+)/gm)) {
      if (!texts.some((text) => new RegExp(`\\b${name}\\b`).test(text))) unused.push(`${file}: ${name}`);
    }
  }
  assert.deepEqual(unused, []);
});

test("the paths that are opened by address exist", () => {
  for (const file of [CONTENT_SCRIPT, RELAY_FRAME, OFFSCREEN_PAGE]) assert.ok(FILES.includes(file), file);
  const pages = [MANIFEST.action.default_popup, MANIFEST.options_ui.page, CHECK_PAGE, WELCOME_PAGE];
  for (const page of pages) {
    assert.ok(FILES.includes(page), page);
    assert.ok(OWN_PAGES.some((folder) => page.startsWith(folder)), `${page} is not among the own pages`);
  }
});

test("pages can open what the content script imports, and nothing that reads settings", () => {
  const [{ resources }] = MANIFEST.web_accessible_resources;
  /** @param {string} file */
  const open = (file) =>
    resources.some((/** @type {string} */ one) =>
      one.includes("*") ? file.startsWith(one.split("*")[0]) && file.endsWith(one.split("*")[1]) : file === one,
    );
  for (const file of [...closure(["watch/watcher.js", "offer/offer.js"]), RELAY_FRAME]) assert.ok(open(file), `${file} is not open`);
  const opened = FILES.filter(open);
  for (const file of opened) {
    if (file.endsWith(".js")) assert.doesNotMatch(read(file), /chrome\.storage/, file);
  }
  for (const one of resources) {
    if (!one.includes("*")) assert.ok(FILES.includes(one), `${one} does not exist`);
  }
});
