import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { choose, findVideos, visibleArea } from "#extension/capture/find.js";

class Element {
  localName = "div";
  /** @type {any} */
  shadowRoot = null;
}
class Video extends Element {
  localName = "video";
  readyState = 4;
  networkState = 1;
  paused = false;
  isConnected = true;
  visible = true;
  /** @param {number} width @param {number} height @param {number} [x] @param {number} [y] */
  constructor(width = 640, height = 360, x = 0, y = 0) {
    super();
    this.box = { left: x, top: y, right: x + width, bottom: y + height, width, height };
  }
  getBoundingClientRect() {
    return this.box;
  }
  checkVisibility() {
    return this.visible;
  }
}

const HTMLMediaElement = { NETWORK_EMPTY: 0, NETWORK_IDLE: 1, NETWORK_LOADING: 2 };
const BROWSER = { HTMLMediaElement, HTMLElement: Element, HTMLVideoElement: Video, innerWidth: 1000, innerHeight: 700 };
before(() => Object.assign(globalThis, BROWSER));
after(() => {
  for (const name of [...Object.keys(BROWSER), "chrome"]) Reflect.deleteProperty(globalThis, name);
});

/** @param {Element[]} elements @returns {any} a document or shadow root */
function root(...elements) {
  return { querySelectorAll: () => elements };
}

/** @param {Video} video @returns {number} */
function area(video) {
  return visibleArea(/** @type {any} */ (video));
}

/** @param {Video[]} videos @param {number} most @param {(video: any) => boolean} [known] @returns {unknown[]} */
function chosen(videos, most, known = () => false) {
  return choose(/** @type {any} */ (videos), known, most);
}

test("videos are found in shadow roots, open, closed and nested", () => {
  const [plain, open, closed] = [new Video(), new Video(), new Video()];
  const player = Object.assign(new Element(), { localName: "x-player" });
  const outer = Object.assign(new Element(), { shadowRoot: root(open, player) });
  const asked = new Set();
  const openOrClosedShadowRoot = (/** @type {Element} */ element) => {
    asked.add(element);
    return element === player ? root(closed) : null;
  };
  Reflect.set(globalThis, "chrome", { dom: { openOrClosedShadowRoot } });
  const found = findVideos(root(plain, outer, new Element()));
  assert.deepEqual(new Set(found), new Set([plain, open, closed]));
  assert.deepEqual([...asked], [player], "asking for every element would be dear");
});

test("closed shadow roots are found in Firefox's way too", () => {
  const inside = new Video();
  const player = Object.assign(new Element(), { localName: "x-player", openOrClosedShadowRoot: root(inside) });
  Reflect.set(globalThis, "chrome", {});
  assert.deepEqual(findVideos(root(player)), [inside]);
});

test("the area is what can be seen", () => {
  assert.equal(area(new Video(200, 100)), 20_000);
  assert.equal(area(new Video(200, 100, 900, 650)), 5000);
  assert.equal(area(new Video(200, 100, 1000, 0)), 0);
  assert.equal(area(new Video(200, 100, 0, -100)), 0);
});

test("small, hidden and removed videos have none", () => {
  assert.equal(area(new Video(119, 100)), 0);
  assert.equal(area(new Video(200, 67)), 0);
  assert.equal(area(Object.assign(new Video(), { visible: false })), 0);
  assert.equal(area(Object.assign(new Video(), { isConnected: false })), 0);
});

test("the largest come first, and no more than may be", () => {
  const [small, large, middle] = [new Video(200, 100), new Video(640, 360), new Video(400, 300)];
  assert.deepEqual(chosen([small, large, middle], 2), [large, middle]);
});

test("a pause ends nothing and begins nothing; without a picture nothing begins", () => {
  const paused = Object.assign(new Video(), { paused: true });
  const empty = Object.assign(new Video(), { readyState: 1 });
  assert.deepEqual(chosen([paused, empty], 4), []);
  assert.deepEqual(chosen([paused, empty], 4, (video) => video === paused), [paused]);
});

test("a known video may load for a moment, as for a loop or an advert; without a source it is over", () => {
  const loading = Object.assign(new Video(), { readyState: 0, networkState: HTMLMediaElement.NETWORK_LOADING });
  const gone = Object.assign(new Video(), { readyState: 0, networkState: HTMLMediaElement.NETWORK_EMPTY });
  assert.deepEqual(chosen([loading, gone], 4, () => true), [loading]);
});
