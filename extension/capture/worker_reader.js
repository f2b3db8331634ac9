// A Reader that works in a worker of its own.

/** @typedef {import("./reader.js").Reading} Reading */

export class WorkerReader {
  constructor() {
    this.worker = new Worker(new URL("./reader_worker.js", import.meta.url), { type: "module" });
    this.count = 0;
    /** @type {Map<number, (reading: Reading) => void>} */
    this.waiting = new Map();
    this.worker.onmessage = ({ data: { id, reading } }) => {
      this.waiting.get(id)?.(reading);
      this.waiting.delete(id);
    };
  }

  /**
   * @param {ImageBitmap|VideoFrame} picture is taken over
   * @param {import("./reader.js").Size} size of the JPEG
   * @returns {Promise<Reading>}
   */
  read(picture, { width, height }) {
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
