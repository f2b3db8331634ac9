import assert from "node:assert/strict";
import { test } from "node:test";

import {
  ALL_SITES,
  isOn,
  needsPermission,
  patternsOf,
  permissionForAll,
  sensitivityOn,
  siteOf,
  withPlayers,
  withSensitivity,
  withSite,
  withoutSite,
} from "#extension/shared/sites.js";

const NONE = { allSites: false, onSites: [], offSites: [] };
const HERE = "https://here.example";
const THERE = "https://there.example";

test("a site is scheme and host; other addresses are none", () => {
  assert.equal(siteOf("https://here.example:8443/a?b#c"), HERE);
  for (const address of [undefined, "", "chrome://extensions", "file:///tmp/a.mp4", "about:blank"]) {
    assert.equal(siteOf(address), null);
  }
});

test("off until it is turned on", () => {
  assert.equal(isOn(NONE, HERE), false);
  assert.equal(isOn({ ...NONE, onSites: [HERE] }, HERE), true);
  assert.equal(isOn({ ...NONE, onSites: [HERE] }, THERE), false);
});

test("all sites but those turned off, and never what is no site", () => {
  const all = { ...NONE, allSites: true, offSites: [THERE] };
  assert.equal(isOn(all, HERE), true);
  assert.equal(isOn(all, THERE), false);
  assert.equal(isOn(all, null), false);
});

test("the script runs on just the sites that are on", () => {
  assert.deepEqual(patternsOf(NONE), { matches: [], excludeMatches: [] });
  assert.deepEqual(patternsOf({ ...NONE, onSites: [HERE] }).matches, [`${HERE}/*`]);
  const all = patternsOf({ allSites: true, onSites: [HERE], offSites: [THERE] });
  assert.deepEqual(all, { matches: [...ALL_SITES], excludeMatches: [`${THERE}/*`] });
});

test("a choice replaces the one before, and is there once", () => {
  const lists = { onSites: [HERE, THERE], offSites: [] };
  const off = withSite(lists, HERE, false);
  assert.deepEqual(off, { onSites: [THERE], offSites: [HERE] });
  assert.deepEqual(withSite(off, HERE, false), off);
  assert.deepEqual(withSite(off, HERE, true), { onSites: [THERE, HERE], offSites: [] });
  assert.deepEqual(withoutSite(off, HERE), { onSites: [THERE], offSites: [] });
  assert.deepEqual(lists, { onSites: [HERE, THERE], offSites: [] }, "the lists that came were changed");
});

test("Firefox is asked for the one permission with which it gives another site's video", () => {
  assert.deepEqual(permissionForAll(), [...ALL_SITES]);
  Reflect.set(globalThis, "chrome", { runtime: { getBrowserInfo: () => {} } });
  try {
    assert.deepEqual(permissionForAll(), ["<all_urls>"]);
  } finally {
    Reflect.deleteProperty(globalThis, "chrome");
  }
});

test("players of a site are a list of their own, and take back that it was turned off", () => {
  const lists = { playerSites: [THERE], offSites: [HERE, THERE] };
  assert.deepEqual(withPlayers(lists, HERE), { playerSites: [THERE, HERE], offSites: [THERE] });
  assert.deepEqual(withPlayers(lists, THERE).playerSites, [THERE]);
});

test("a permission is kept while anything needs it", () => {
  const none = { ...NONE, playerSites: [] };
  assert.equal(needsPermission(none, HERE), false);
  assert.equal(needsPermission({ ...none, playerSites: [HERE] }, HERE), true);
  assert.equal(needsPermission({ ...none, onSites: [HERE] }, HERE), true);
  assert.equal(needsPermission({ ...none, allSites: true }, HERE), true);
});

test("a site's own sensitivity wins, until it is taken back", () => {
  const site = "https://one.test";
  const { siteSensitivity } = withSensitivity({ siteSensitivity: {} }, site, "calm");
  const settings = { sensitivity: /** @type {const} */ ("alert"), siteSensitivity };
  assert.equal(sensitivityOn(settings, site), "calm");
  assert.equal(sensitivityOn(settings, "https://two.test"), "alert");
  assert.equal(sensitivityOn(settings, null), "alert");
  const both = withSensitivity({ siteSensitivity }, "https://two.test", "normal");
  assert.deepEqual(withSensitivity(both, site, null).siteSensitivity, { "https://two.test": "normal" });
});
