// The pixels of another site's video, where the browser lets an extension read them: Firefox, once
// the extension has the permission for all sites. Chromium refuses whoever asks.

/** @typedef {import("../protocol/messages.js").Place} Place */
/** @typedef {import("./planes.js").Picture} Picture */

/** @type {CanvasRenderingContext2D|null} one that could be read */
let kept = null;

/**
 * @param {HTMLVideoElement} video
 * @param {Place|null} part of it, null for all
 * @param {{width: number, height: number}} size
 * @returns {Promise<Picture>} without the mark of another site: whoever gets it may read it
 * @throws {DOMException} named SecurityError where the browser does not let extensions read it
 */
export async function pixelsOf(video, part, { width, height }) {
  // Drawn from the element itself: a bitmap of it stays closed even to who may read the canvas.
  const context = kept ?? newContext();
  const { canvas } = context;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  context.drawImage(video, ...(part ?? [0, 0, video.videoWidth, video.videoHeight]), 0, 0, width, height);
  const pixels = context.getImageData(0, 0, width, height);
  kept = context;
  // Bare pixels travel to where they are encoded; bitmaps cannot leave the page's process.
  if (!("VideoFrame" in globalThis)) return createImageBitmap(pixels);
  return {
    // A copy of our own: Firefox lets nobody transfer what belongs to the page.
    data: new Uint8Array(pixels.data).buffer,
    init: {
      format: "RGBX",
      codedWidth: width,
      codedHeight: height,
      displayWidth: width,
      displayHeight: height,
      layout: [{ offset: 0, stride: 4 * width }],
      timestamp: 0,
    },
  };
}

/** @returns {CanvasRenderingContext2D} */
function newContext() {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  if (!context) throw new DOMException("this browser gives no 2d canvas", "NotSupportedError");
  return context;
}
