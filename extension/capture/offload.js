// A JpegEncoder that works in a worker of its own.

/** @typedef {import("./jpeg.js").Encoded} Encoded */

export class OffloadedEncoder {
  constructor() {
    this.worker = new Worker(new URL("./jpeg_worker.js", import.meta.url), { type: "module" });
    this.count = 0;
    /** @type {Map<number, (encoded: Encoded) => void>} */
    this.waiting = new Map();
    this.worker.onmessage = ({ data: { id, encoded } }) => {
      this.waiting.get(id)?.(encoded);
      this.waiting.delete(id);
    };
  }

  /**
   * @param {ImageBitmap|VideoFrame} picture is taken over
   * @param {import("./jpeg.js").Size} size of the JPEG
   * @returns {Promise<Encoded>}
   */
  encode(picture, { width, height }) {
    const id = ++this.count;
    return new Promise((resolve) => {
      this.waiting.set(id, resolve);
      this.worker.postMessage({ id, picture, size: { width, height } }, [picture]);
    });
  }

  close() {
    this.worker.terminate();
    this.waiting.clear();
  }
}
