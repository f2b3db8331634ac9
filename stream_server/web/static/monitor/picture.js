// The newest picture of a monitor with a box around each face. The server holds it in memory only.

import { drawBox } from "../../extension/overlay/look.js";
import { contextOf } from "../../extension/shared/dom.js";
import { newestPicture } from "./server.js";

/** @typedef {import("./server.js").PictureFace} PictureFace */

const EVERY_MS = 1000;

export class Picture {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {string} id of the monitor
   */
  constructor(canvas, id) {
    this.canvas = canvas;
    this.id = id;
    /** Those of the picture that is shown, not of a later one. @type {PictureFace[]} */
    this.faces = [];
    /** Whether new pictures are to be had. */
    this.live = false;
    this.inView = false;
    this.asking = false;
    /** @type {ImageBitmap|null} */
    this.image = null;
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.timer = undefined;
    this.views = new IntersectionObserver(([entry]) => {
      this.inView = entry.isIntersecting;
      void this.next();
    });
    this.views.observe(canvas);
    this.sizes = new ResizeObserver(() => this.paint());
    this.sizes.observe(canvas);
    this.onVisible = () => void this.next();
    document.addEventListener("visibilitychange", this.onVisible);
  }

  /** @param {boolean} live */
  run(live) {
    if (live === this.live) return;
    this.live = live;
    void this.next();
  }

  /** Ask for the newest picture while somebody can see it, one at a time. */
  async next() {
    clearTimeout(this.timer);
    if (this.asking || !this.live || !this.inView || document.hidden) return;
    this.asking = true;
    const found = await newestPicture(this.id).catch(() => null);
    this.asking = false;
    if (found !== null && this.live) this.show(found.image, found.faces);
    this.timer = setTimeout(() => void this.next(), EVERY_MS);
  }

  /** @param {ImageBitmap|null} image @param {PictureFace[]} faces */
  show(image, faces) {
    this.image?.close();
    this.image = image;
    this.faces = faces;
    this.paint();
  }

  paint() {
    const { clientWidth, clientHeight } = this.canvas;
    const context = contextOf(this.canvas, clientWidth, clientHeight);
    const { image, faces } = this;
    if (!context || !image) return;
    const scale = Math.min(clientWidth / image.width, clientHeight / image.height);
    const [width, height] = [image.width * scale, image.height * scale];
    const [left, top] = [(clientWidth - width) / 2, (clientHeight - height) / 2];
    context.drawImage(image, left, top, width, height);
    for (const { box, verdict } of faces) {
      const [x, y, w, h] = box;
      drawBox(context, { x: left + x * width, y: top + y * height, width: w * width, height: h * height }, verdict);
    }
  }

  remove() {
    this.live = false;
    clearTimeout(this.timer);
    this.views.disconnect();
    this.sizes.disconnect();
    document.removeEventListener("visibilitychange", this.onVisible);
    this.show(null, []);
  }
}
