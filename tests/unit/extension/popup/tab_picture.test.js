import assert from "node:assert/strict";
import { test } from "node:test";

import { pictureWords } from "#extension/popup/tab_picture.js";

/** @typedef {import("#extension/shared/states.js").State} State */
/** @typedef {import("#extension/shared/tab_picture.js").TabPicture} TabPicture */

/** @param {TabPicture} picture @param {State} state @param {boolean} [permitted] */
function words(picture, state, permitted = false) {
  const summaries = [{ state, faces: 0, fake: false, detail: "" }];
  return pictureWords({ summaries, picture, unreached: [] }, permitted);
}

test("it is offered for a frame that nobody can enter, where nothing else is watched", () => {
  for (const why of ["closed", "elsewhere"]) {
    const found = pictureWords({ summaries: [], picture: "off", unreached: [{ why }] }, false);
    assert.deepEqual(found, { words: "tab_picture_instead", button: "tab_picture_start" }, "no word on pixels that are kept");
    assert.equal(pictureWords({ summaries: [], picture: "lost", unreached: [{ why }] }, false)?.words, "tab_picture_lost");
  }
  assert.equal(pictureWords({ summaries: [], picture: "off", unreached: [{ why: "ask" }] }, false), null);
});

test("the tab's picture is offered where the site keeps its pixels or its frame, and only there", () => {
  assert.deepEqual(words("off", "offered"), { words: "tab_picture_offer", button: "tab_picture_start" });
  assert.deepEqual(words("off", "offered_closed"), { words: "tab_picture_instead", button: "tab_picture_start" });
  assert.equal(words("off", "watching"), null);
  assert.equal(words("none", "unreadable"), null);
});

test("while it is looked at, how and the way out are said whatever the video shows", () => {
  assert.deepEqual(words("stream", "watching"), { words: "tab_picture_stream", button: "tab_picture_stop" });
  assert.equal(words("shots", "no_server")?.words, "tab_picture_shots");
});

test("one that was lost is said, with a way back while there is a use for it", () => {
  assert.deepEqual(words("lost", "tab_lost"), { words: "tab_picture_lost", button: "tab_picture_start" });
  assert.equal(words("lost", "watching"), null);
});

test("Firefox's way round is the permission for all sites, offered until it is given", () => {
  Reflect.set(globalThis, "chrome", { runtime: { getBrowserInfo: () => {} } });
  try {
    assert.equal(words("none", "unreadable")?.button, "all_sites_allow");
    assert.equal(words("none", "unreadable", true), null);
    assert.equal(words("none", "watching"), null);
  } finally {
    Reflect.deleteProperty(globalThis, "chrome");
  }
});
