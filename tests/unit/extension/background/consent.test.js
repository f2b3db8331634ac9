import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { answeredBy, forgetLost, keepConsent, noteQuestion } from "#extension/background/consent.js";
import { load, save } from "#extension/shared/settings.js";
import { needsPermission } from "#extension/shared/sites.js";
import { chromeWith } from "../stub.js";

const PLAYER = "https://player.example";
const HERE = "https://here.example";

/** @type {Set<string>} what the browser has granted */
let granted;

beforeEach(() => {
  chromeWith();
  granted = new Set();
  /** @type {Record<string, unknown>} */
  const session = {};
  Object.assign(Reflect.get(globalThis, "chrome").storage, {
    session: {
      get: async (/** @type {string} */ key) => (key in session ? { [key]: session[key] } : {}),
      set: async (/** @type {object} */ values) => void Object.assign(session, values),
      remove: async (/** @type {string} */ key) => void delete session[key],
    },
  });
  Reflect.set(Reflect.get(globalThis, "chrome"), "permissions", {
    contains: async (/** @type {{origins: string[]}} */ { origins }) => origins.every((one) => granted.has(one)),
  });
});

test("an answer goes with the question that was asked, once", async () => {
  await noteQuestion({ want: "players", site: PLAYER, tabId: 7 });
  assert.equal(await answeredBy(["https://elsewhere.example/*"]), null);
  assert.deepEqual(await answeredBy([`${PLAYER}/*`]), { want: "players", site: PLAYER, tabId: 7 });
  assert.equal(await answeredBy([`${PLAYER}/*`]), null);
});

test("players of a site are watched without the site being turned on", async () => {
  await save({ offSites: [PLAYER] });
  await keepConsent({ want: "players", site: PLAYER, tabId: 7 });
  await keepConsent({ want: "players", site: PLAYER, tabId: 7 });
  const settings = await load();
  assert.deepEqual(settings.playerSites, [PLAYER]);
  assert.deepEqual([settings.onSites, settings.offSites], [[], []]);
  assert.equal(needsPermission(settings, PLAYER), true);
  await keepConsent({ want: "site", site: HERE, tabId: 7 });
  assert.deepEqual((await load()).onSites, [HERE]);
});

test("what the browser no longer permits is no longer on", async () => {
  await save({ allSites: true, onSites: [HERE, PLAYER], playerSites: [PLAYER, "https://lost.example"], offSites: ["https://off.example"] });
  granted.add(`${PLAYER}/*`);
  await forgetLost();
  const { allSites, onSites, playerSites, offSites } = await load();
  assert.deepEqual({ allSites, onSites, playerSites, offSites }, {
    allSites: false,
    onSites: [PLAYER],
    playerSites: [PLAYER],
    offSites: ["https://off.example"],
  });
  granted.add("http://*/*").add("https://*/*");
  await save({ allSites: true });
  await forgetLost();
  assert.equal((await load()).allSites, true);
});
