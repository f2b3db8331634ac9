// A JpegEncoder that works in a worker of its own.

/** @typedef {import("./jpeg.js").Encoded} Encoded */

/** Workers that wait for the next video: in a feed one comes every few seconds, and a worker is dear. */
const MOST_SPARE = 2;
/** @type {Worker[]} */
const spare = [];

export class OffloadedEncoder {
  constructor() {
    this.worker = spare.pop() ?? new Worker(new URL("./jpeg_worker.js", import.meta.url), { type: "module" });
    this.count = 0;
    /** @type {Map<number, (encoded: Encoded) => void>} */
    this.waiting = new Map();
    this.worker.onmessage = ({ data: { id, encoded } }) => {
      this.waiting.get(id)?.(encoded);
      this.waiting.delete(id);
    };
  }

  /**
   * @param {(ImageBitmap|VideoFrame)[]} pictures are taken over
   * @param {import("./fovea.js").Shown} shown size of the JPEG, and where in it they lie
   * @returns {Promise<Encoded>}
   */
  encode(pictures, { width, height, rect }) {
    const id = ++this.count;
    return new Promise((resolve) => {
      this.waiting.set(id, resolve);
      this.worker.postMessage({ id, pictures, shown: { width, height, rect } }, pictures);
    });
  }

  close() {
    const { worker, waiting } = this;
    const isIdle = waiting.size === 0;
    waiting.clear();
    worker.onmessage = null;
    if (!isIdle || spare.length >= MOST_SPARE) worker.terminate();
    else {
      worker.postMessage("another video");
      spare.push(worker);
    }
  }
}
