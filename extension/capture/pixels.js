// The pixels of another site's video, where the browser lets an extension read them: Firefox, on
// sites for which it has the permission. Chromium refuses whoever asks.

/**
 * @param {HTMLVideoElement} video
 * @param {{width: number, height: number}} size
 * @returns {Promise<ImageBitmap>} without the mark of another site: whoever gets it may read it
 * @throws {DOMException} named SecurityError where the browser does not let extensions read it
 */
export async function pixelsOf(video, { width, height }) {
  // An element, for that is what Firefox gives an extension's rights to.
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  if (!context) throw new DOMException("this browser gives no 2d canvas", "NotSupportedError");
  context.drawImage(video, 0, 0, width, height);
  return createImageBitmap(context.getImageData(0, 0, width, height));
}
