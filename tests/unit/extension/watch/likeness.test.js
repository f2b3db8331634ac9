import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { isSame, likenessOf, withoutQuality } from "#extension/watch/likeness.js";

class Around {
  /** @param {string} link @param {Around|null} parentNode @param {number} videos in it */
  constructor(link, parentNode = null, videos = 1) {
    this.videos = videos;
    this.link = link;
    this.parentNode = parentNode;
  }
  querySelector() {
    return this.link ? new Link(this.link) : null;
  }
  querySelectorAll() {
    return new Array(this.videos);
  }
}
class Link {
  /** @param {string} address */
  constructor(address) {
    const { origin, pathname } = new URL(address);
    Object.assign(this, { origin, pathname });
  }
}

beforeEach(() => {
  const page = { location: { href: "https://site.test/feed" }, Element: Around, ShadowRoot: class {}, HTMLAnchorElement: Link };
  for (const [name, value] of Object.entries(page)) Reflect.set(globalThis, name, value);
});

/** @param {number} count */
const holding = (count) => ({ querySelectorAll: () => new Array(count) });

/** @param {string} currentSrc @param {object} [more] @returns {any} an element with its metadata */
function element(currentSrc, more) {
  const picture = { ownerDocument: holding(5), videoWidth: 640, videoHeight: 360, duration: 12, poster: "", srcObject: null, parentNode: null };
  return { currentSrc, ...picture, ...more };
}

/** @param {any} a @param {any} b */
function same(a, b) {
  const [one, other] = [likenessOf(a), likenessOf(b)];
  assert.ok(one && other);
  return isSame(one, other) && isSame(other, one);
}

for (const [one, other] of [
  ["https://edge7.cdn.test/v/clip_720p.mp4?token=x&expires=1", "https://edge12.cdn.test/v/clip_360p.mp4?token=y&expires=2"],
  ["https://cdn.test/1280x720/clip.mp4", "https://cdn.test/640x360/clip.webm"],
  ["https://cdn.test/clip-hd.mp4", "https://cdn.test/clip-sd.mp4"],
  ["https://cdn.test/clip-2500k.mp4", "https://cdn.test/clip-800kbps.mp4"],
  ["https://cdn.test/play?itag=22&id=7&signature=a", "https://cdn.test/play?id=7&itag=18&signature=b"],
]) {
  test(`a rendition of the same: ${other}`, () => {
    assert.ok(same(element(one), element(other, { duration: 12.08, videoWidth: 1280, videoHeight: 720 })));
  });
}

for (const [what, one, other] of [
  ["another file", element("https://cdn.test/a.mp4"), element("https://cdn.test/b.mp4")],
  ["another video by its query", element("https://cdn.test/play?id=7"), element("https://cdn.test/play?id=8")],
  ["another length", element("https://cdn.test/a.mp4"), element("https://cdn.test/a.mp4", { duration: 30 })],
  ["another shape", element("https://cdn.test/a.mp4"), element("https://cdn.test/a.mp4", { videoWidth: 360, videoHeight: 640 })],
  ["numbers that are no quality", element("https://cdn.test/720.mp4"), element("https://cdn.test/721.mp4")],
  ["another video by what it was searched by", element("https://cdn.test/v?q=a"), element("https://cdn.test/v?q=b")],
  ["another video by its session", element("https://cdn.test/v?session=a"), element("https://cdn.test/v?session=b")],
  ["a number with a p that is no height", element("https://cdn.test/4021p.mp4"), element("https://cdn.test/4022p.mp4")],
  ["another owner of one host's names", element("https://a.co.uk/v.mp4"), element("https://b.co.uk/v.mp4")],
  ["another server", element("https://one.test/a.mp4"), element("https://two.test/a.mp4")],
  ["a blob", element("https://cdn.test/a.mp4"), element("blob:https://cdn.test/a.mp4")],
]) {
  test(`not the same: ${what}`, () => assert.ok(!same(one, other)));
}

test("a blob that is fed anew is found by its length and its place on the page", () => {
  const entry = new Around("https://site.test/posts/1");
  const card = new Around("", entry);
  const first = element("blob:1", { parentNode: card });
  assert.ok(same(first, element("blob:2", { parentNode: card })));
  assert.ok(!same(first, element("blob:2", { parentNode: card, duration: 12.3 })), "an advert of another length");
  assert.ok(!same(first, element("blob:2", { parentNode: new Around("https://site.test/posts/2") })), "its neighbour");
  assert.ok(!same(first, element("blob:2", { parentNode: card, poster: "/other.jpg" })), "another poster");
  const endless = { parentNode: card, duration: Infinity };
  assert.ok(!same(element("blob:1", endless), element("blob:2", endless)), "two live streams");
  assert.ok(same(element("blob:1", endless), element("blob:1", endless)));
});

test("two blobs of one length on a page that tells them apart by nothing are two videos", () => {
  assert.ok(!same(element("blob:1"), element("blob:2")));
  const list = new Around("https://site.test/about", null, 5);
  assert.ok(!same(element("blob:1", { parentNode: list }), element("blob:2", { parentNode: list })), "a link of all");
});

test("a blob on another page of the site is another, whatever the page was reached by", () => {
  const alone = { ownerDocument: holding(1) };
  const first = likenessOf(element("blob:1", alone));
  globalThis.location.href = "https://site.test/feed?utm_source=mail#top";
  const second = likenessOf(element("blob:2", alone));
  globalThis.location.href = "https://site.test/watch?v=2";
  const third = likenessOf(element("blob:3", alone));
  assert.ok(first && second && third);
  assert.ok(isSame(first, second));
  assert.ok(!isSame(first, third));
});

test("a call's picture is known by its track, in whichever tile it is", () => {
  const tile = (/** @type {string} */ id, more = {}) =>
    element("", { srcObject: { getVideoTracks: () => [{ id, getSettings: () => ({}) }] }, duration: Infinity, ...more });
  assert.ok(same(tile("a"), tile("a", { videoWidth: 320, videoHeight: 320 })));
  assert.ok(!same(tile("a"), tile("b")));
});

test("without a source or a length nothing is known", () => {
  assert.equal(likenessOf(element("")), null);
  assert.equal(likenessOf(element("blob:1", { duration: NaN })), null);
  assert.equal(likenessOf(element("", { srcObject: { getVideoTracks: () => [] } })), null);
});

test("addresses without a quality stay as they are", () => {
  assert.equal(withoutQuality("https://v.cdn.test/2024/holiday.mp4?id=3"), "v.cdn.test/2024/holiday.?id=3");
});
