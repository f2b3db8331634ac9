import assert from "node:assert/strict";
import { test } from "node:test";

import { videoAmong } from "#extension/offer/files.js";

/** @param {string} name @param {string} type */
function file(name, type = "") {
  return new File(["x"], name, { type });
}

test("the first video is found, by its kind or where there is none by its name", () => {
  const clip = file("clip.bin", "video/mp4");
  assert.equal(videoAmong([file("a.png", "image/png"), clip, file("b.mp4", "video/mp4")]), clip);
  for (const name of ["a.MP4", "b.mkv", "c.mov", "d.m2ts"]) assert.ok(videoAmong([file(name)]), name);
});

test("other files are nobody's business", () => {
  assert.equal(videoAmong([]), null);
  const others = [file("notes.mp4", "text/plain"), file("mp4"), file("song.mp3", "audio/mpeg"), file("a.pdf")];
  assert.equal(videoAmong(others), null);
});
