import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { chime } from "#extension/notify/chime.js";

let [tones, closed] = [0, 0];

/** As far as a chime needs it. @param {() => Promise<void>} resume @param {number} currentTime */
function browserWith(resume, currentTime) {
  class Parameter {
    setValueAtTime() {}
    linearRampToValueAtTime() {}
    exponentialRampToValueAtTime() {}
  }
  class Node {
    gain = new Parameter();
    /** @param {object} next */
    connect(next) {
      return next;
    }
    start() {
      tones++;
    }
    stop() {}
  }
  class AudioContext {
    resume = resume;
    currentTime = currentTime;
    destination = {};
    async close() {
      closed++;
    }
  }
  Object.assign(globalThis, { AudioContext, OscillatorNode: Node, GainNode: Node });
}

beforeEach(() => {
  [tones, closed] = [0, 0];
});

test("two tones are played, and the context is let go", async () => {
  browserWith(async () => {}, 0.5);
  assert.equal(await chime(), 0.5);
  assert.deepEqual([tones, closed], [2, 1]);
});

test("a browser that never begins to play holds nothing up: warnings come one after the other", { timeout: 10_000 }, async () => {
  browserWith(() => new Promise(() => {}), 0);
  assert.equal(await chime(), 0);
  assert.equal(closed, 1);
});
