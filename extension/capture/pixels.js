// The pixels of another site's video, where the browser lets an extension read them: Firefox, once
// the extension has the permission for all sites. Chromium refuses whoever asks.

/**
 * @param {HTMLVideoElement} video
 * @param {{width: number, height: number}} size
 * @returns {Promise<ImageBitmap>} without the mark of another site: whoever gets it may read it
 * @throws {DOMException} named SecurityError where the browser does not let extensions read it
 */
export async function pixelsOf(video, { width, height }) {
  // Drawn from the element itself: a bitmap of it stays closed even to who may read the canvas.
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  if (!context) throw new DOMException("this browser gives no 2d canvas", "NotSupportedError");
  context.drawImage(video, 0, 0, width, height);
  return createImageBitmap(context.getImageData(0, 0, width, height));
}
