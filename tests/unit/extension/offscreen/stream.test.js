import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { TabStream } from "#extension/offscreen/stream.js";

/** @type {(frame: any) => void} the browser shows the next picture */
let show;
/** @type {EventTarget & {stop(): void}} */
let track;
/** @type {string[]} */
let told;
/** @type {TabStream} */
let stream;

/** @param {string} name */
function frame(name) {
  return { displayWidth: 1000, displayHeight: 700, clone: () => ({ name }), close() {} };
}

/** Let the reader take what was shown. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => {
  told = [];
  track = Object.assign(new EventTarget(), { stop: () => told.push("stop") });
  Reflect.set(
    globalThis,
    "MediaStreamTrackProcessor",
    class {
      readable = new ReadableStream({ start: (controller) => void (show = (one) => controller.enqueue(one)) });
    },
  );
  mock.timers.enable({ apis: ["setTimeout"] });
  stream = new TabStream(/** @type {any} */ (track), () => told.push("lost"));
});
afterEach(() => mock.timers.reset());

test("the first picture since the moment that is asked for is given, to all who wait for it", async () => {
  show(frame("before"));
  await settle();
  const now = performance.timeOrigin + performance.now();
  const [early, late] = [stream.after(now), stream.after(now + 3600_000)];
  show(frame("next"));
  show(frame("one more"));
  await settle();
  const found = await early;
  assert.deepEqual([found?.shot, found?.size], [{ name: "next" }, { width: 1000, height: 700 }]);
  assert.ok(found && found.at >= now);
  mock.timers.tick(1100);
  assert.equal(await late, null, "what is asked for has not come");
});

test("a picture that does not come is given up", async () => {
  const asked = stream.after(0);
  mock.timers.tick(1100);
  assert.equal(await asked, null);
});

test("a stream that ends by itself says so once; nobody goes on waiting for it", async () => {
  const asked = stream.after(0);
  track.dispatchEvent(new Event("ended"));
  assert.equal(await asked, null);
  assert.equal(await stream.after(0), null);
  track.dispatchEvent(new Event("ended"));
  assert.deepEqual(told, ["stop", "lost"]);
});

test("one that is ended on purpose says nothing", () => {
  stream.close();
  track.dispatchEvent(new Event("ended"));
  assert.deepEqual(told, ["stop"]);
});

test("the picture alone is asked for, so that the browser goes on playing the sound", async () => {
  /** @type {any} */
  let wanted;
  const getUserMedia = async (/** @type {any} */ constraints) => {
    wanted = constraints;
    return { getVideoTracks: () => [track] };
  };
  Object.defineProperty(globalThis, "navigator", { configurable: true, value: { mediaDevices: { getUserMedia } } });
  const opened = await TabStream.open("an id", { width: 1920, height: 1080 }, () => {});
  assert.equal(wanted.audio, false);
  const { chromeMediaSource, chromeMediaSourceId, maxWidth, maxHeight } = wanted.video.mandatory;
  assert.deepEqual([chromeMediaSource, chromeMediaSourceId, maxWidth, maxHeight], ["tab", "an id", 1920, 1080]);
  opened.close();
});
