import assert from "node:assert/strict";
import { test } from "node:test";

import { pictureWords } from "#extension/popup/tab_picture.js";

/** @typedef {import("#extension/shared/states.js").State} State */
/** @typedef {import("#extension/shared/tab_picture.js").TabPicture} TabPicture */

/** @param {TabPicture} picture @param {State} state */
function words(picture, state) {
  const summaries = [{ state, faces: 0, fake: false, detail: "" }];
  return pictureWords({ summaries, picture, unreached: [] });
}

test("it is offered for a frame that nobody can enter, where nothing else is watched", () => {
  const unreached = [{ why: "closed" }];
  assert.equal(pictureWords({ summaries: [], picture: "off", unreached })?.button, "tab_picture_start");
  assert.equal(pictureWords({ summaries: [], picture: "off", unreached: [{ why: "ask" }] }), null);
});

test("the tab's picture is offered where the site keeps its pixels, and only there", () => {
  assert.equal(words("off", "offered")?.button, "tab_picture_start");
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
