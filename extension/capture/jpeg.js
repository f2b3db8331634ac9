// Pictures as they are sent: a bitmap or frame in, JPEG bytes out, or what is wrong with it. Runs in
// the relay, out of the page's process, or in the page itself where a picture cannot travel.

import { BlackWatch, canvasIsFaithful } from "./integrity.js";

/** @typedef {import("../shared/states.js").Fault} Fault */
/** @typedef {import("./fovea.js").Shown} Shown */
/** @typedef {{jpeg: ArrayBuffer}|{fault: Fault}|null} Encoded null for a frame to leave out */

const QUALITY = 0.8;

export class JpegEncoder {
  constructor() {
    this.canvas = new OffscreenCanvas(1, 1);
    this.context = this.canvas.getContext("2d", { alpha: false });
    this.black = new BlackWatch();
    this.busy = false;
  }

  /**
   * @param {(ImageBitmap|VideoFrame)[]} pictures are closed afterwards
   * @param {Shown} shown size of the JPEG, and where in it the pictures lie
   * @returns {Promise<Encoded>} null while an earlier picture is being encoded: the next one will do
   */
  async encode(pictures, shown) {
    if (this.busy) {
      for (const picture of pictures) picture.close();
      return null;
    }
    this.busy = true;
    try {
      return await this.drawn(pictures, shown);
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      // Another site's picture. Its trace stays on the canvases: take new ones.
      this.canvas = new OffscreenCanvas(1, 1);
      this.context = this.canvas.getContext("2d", { alpha: false });
      this.black = new BlackWatch();
      return { fault: "unreadable" };
    } finally {
      this.busy = false;
      for (const picture of pictures) picture.close();
    }
  }

  /** @param {(ImageBitmap|VideoFrame)[]} pictures @param {Shown} shown @returns {Promise<Encoded>} */
  async drawn(pictures, { width, height, rect }) {
    if (!(await canvasIsFaithful())) return { fault: "altered" };
    const { canvas, context } = this;
    if (!context) return { fault: "unreadable" };
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    if (pictures.length > 1) context.fillRect(0, 0, width, height);
    for (const [index, picture] of pictures.entries()) {
      context.drawImage(picture, ...(rect?.parts[index].at ?? /** @type {const} */ ([0, 0, width, height])));
    }
    const look = this.black.look(canvas, performance.now() / 1000);
    if (look !== "picture") return look === "still_black" ? { fault: "black" } : null;
    const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY });
    return { jpeg: await blob.arrayBuffer() };
  }
}
