import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { WayFinder } from "#extension/watch/way.js";

/** @typedef {import("#extension/shared/tab_picture.js").TabPicture} TabPicture */

/** @type {any} */
let frames;
/** @type {string[]} */
let ways;

beforeEach(() => {
  frames = { way: "element", mostPerSecond: 30, stop: () => {} };
  ways = [];
});

/** @param {TabPicture} picture */
function finder(picture) {
  return new WayFinder(frames, picture, (way) => ways.push(way));
}

test("after the element its pixels are tried, then the tab's picture where it is had", () => {
  const way = finder("stream");
  assert.equal(way.closed("unreadable"), true);
  assert.equal(way.closed("unreadable"), true);
  assert.deepEqual(ways, ["pixels", "tab"]);
  assert.ok(way.byTab && !way.byShots);
  assert.equal(way.closed("unreadable"), false, "nothing is left");
});

test("without the tab's picture there is no way left, and pixels are not tried again", () => {
  const way = finder("off");
  assert.equal(way.closed("unreadable"), true);
  assert.equal(way.closed("unreadable"), false);
  assert.equal(frames.way, "element");
  assert.equal(way.closed("unreadable"), false);
  assert.deepEqual(ways, ["pixels", "element"]);
});

test("a click opens the way to the tab's picture, and its end closes it", () => {
  const way = finder("off");
  way.setPicture("stream", false);
  assert.deepEqual(ways, [], "the video can be read: nothing changes");
  way.setPicture("stream", true);
  way.setPicture("lost", false);
  assert.deepEqual(ways, ["tab", "element"]);
});

test("another video in the element may be open", () => {
  const way = finder("stream");
  way.closed("unreadable");
  way.closed("unreadable");
  way.begin();
  assert.equal(frames.way, "element");
  assert.equal(way.closed("unreadable"), true);
  assert.equal(frames.way, "pixels");
});

test("single pictures are asked for as often as the browser takes them", () => {
  const way = finder("shots");
  way.setRate(30);
  assert.equal(frames.mostPerSecond, 30);
  way.setPicture("shots", true);
  assert.ok(frames.mostPerSecond > 1.5 && frames.mostPerSecond < 2);
  way.setRate(12);
  way.setPicture("stream", false);
  assert.equal(frames.mostPerSecond, 12);
});

test("a frame that keeps the extension's own out leaves the tab's picture alone", () => {
  assert.equal(finder("off").closed("sandboxed"), false);
  assert.equal(finder("stream").closed("sandboxed"), true);
  assert.deepEqual(ways, ["tab"]);
});
