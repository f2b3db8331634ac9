import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { chromeWith } from "../stub.js";
import { broughtToFront, endPicture, forgetPicture, isGone, openPicture, pictureOf, shotOf } from "#extension/background/tab_capture.js";
import { record } from "#extension/background/tabs.js";

/** @type {string[]} what the offscreen document was asked, and what became of it */
let told;
/** @type {Set<number>} tabs whose picture it has */
let open;
/** @type {boolean} */
let there;
/** @type {boolean} whether the browser gives a stream of the tab */
let gives;
/** @type {{id: number, url: string, width: number, height: number, windowId: number, active: boolean}} */
let tab;

beforeEach(() => {
  told = [];
  open = new Set();
  there = false;
  gives = true;
  chromeWith();
  /** @type {Record<string, unknown>} */
  const session = {};
  tab = { id: 7, url: "https://site.test/page", width: 1000, height: 600, windowId: 3, active: true };
  Object.assign(/** @type {any} */ (globalThis).chrome, {
    action: { setBadgeBackgroundColor: async () => {}, setBadgeText: async () => {}, setTitle: async () => {} },
    i18n: { getMessage: () => "" },
    offscreen: {
      createDocument: async () => void (there = true),
      closeDocument: async () => {
        there = false;
        told.push("closed");
      },
    },
    runtime: {
      getContexts: async () => (there ? [{}] : []),
      sendMessage: async (/** @type {any} */ { type, tabId, size, others }) => {
        told.push([type, tabId, size?.width, others].filter(Boolean).join(" "));
        if (type === "tab-close") open.delete(tabId);
        else if (type !== "tab-front") open.add(tabId);
        return { ok: true, done: { left: open.size } };
      },
    },
    tabCapture: {
      getMediaStreamId: async () => {
        if (!gives) throw new Error("Cannot capture a tab with an active stream.");
        return "an id";
      },
    },
    tabs: {
      get: async (/** @type {number} */ id) => ({ ...tab, id, active: id === 7 && tab.active }),
      query: async () => [tab, { ...tab, id: 8 }],
      captureVisibleTab: async (/** @type {number} */ window) => `window ${window}`,
    },
  });
  /** @type {any} */ (globalThis).chrome.storage.session = {
    get: async (/** @type {string} */ key) => ({ [key]: session[key] }),
    set: async (/** @type {object} */ values) => void Object.assign(session, values),
    remove: async (/** @type {string} */ key) => void delete session[key],
  };
});

test("a click opens a stream as large as the window, and it is known for which site", async () => {
  assert.equal(await pictureOf(7), "off");
  assert.equal(await openPicture(7, 2), "stream");
  assert.deepEqual(told, ["tab-stream 7 2000"]);
  assert.equal(await pictureOf(7), "stream");
  assert.equal((await record(7)).pictureSite, "https://site.test");
});

test("where the browser gives no stream, single pictures do", async () => {
  gives = false;
  assert.equal(await openPicture(7, 1), "shots");
  assert.deepEqual(told, ["tab-shots 7"]);
  assert.equal(await shotOf(7), "window 3");
  await assert.rejects(shotOf(8), /not in front/);
});

test("a tab that leaves its site while its picture is opened is not looked at", async () => {
  /** @type {any} */ (globalThis).chrome.tabCapture.getMediaStreamId = async () => {
    tab.url = "https://other.test/";
    return "an id";
  };
  await assert.rejects(openPicture(7, 1), /left its site/);
  assert.equal(await pictureOf(7), "off");
  assert.ok(!there);
});

test("a picture of the tab that came to the front meanwhile is thrown away", async () => {
  /** @type {any} */ (globalThis).chrome.tabs.captureVisibleTab = async () => {
    tab.active = false;
    return "another tab";
  };
  await assert.rejects(shotOf(7), /another tab came/);
});

test("a tab that was left while its picture was opened is behind", async () => {
  /** @type {any} */ (globalThis).chrome.tabCapture.getMediaStreamId = async () => {
    tab.active = false;
    return "an id";
  };
  await openPicture(7, 1);
  assert.equal(told.at(-1), "tab-front 7");
});

test("a document that does not answer is said to", async () => {
  await openPicture(7, 1);
  /** @type {any} */ (globalThis).chrome.runtime.sendMessage = async () => undefined;
  await assert.rejects(endPicture(7, "off"), /does not answer/);
  assert.equal(await pictureOf(7), "off");
});

test("the document is there for as long as one tab needs it", async () => {
  await Promise.all([openPicture(7, 1), openPicture(8, 1)]);
  await endPicture(7, "off");
  assert.ok(there);
  await forgetPicture(8);
  assert.ok(!there);
  assert.equal(told.at(-1), "closed");
  assert.equal(await pictureOf(7), "off");
});

test("a picture whose document the browser took away is gone", async () => {
  await openPicture(7, 1);
  assert.equal(await isGone(7), false);
  there = false;
  assert.equal(await isGone(7), true);
  await endPicture(7, "lost");
  assert.deepEqual([await pictureOf(7), await isGone(7)], ["lost", false]);
});

test("tabs behind the one in front are told of, where there is anybody to tell", async () => {
  await broughtToFront(7);
  assert.deepEqual(told, []);
  await openPicture(7, 1);
  assert.deepEqual(await broughtToFront(7), []);
  assert.equal(told.at(-1), "tab-front 7 8");
  assert.deepEqual(await broughtToFront(8), [7], "the one behind whose picture is had");
});

test("a browser that captures no tabs says so", async () => {
  delete (/** @type {any} */ (globalThis).chrome.tabCapture);
  assert.equal(await pictureOf(7), "none");
  await forgetPicture(7);
});
