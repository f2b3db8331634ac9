// A picture as the decoder made it: brightness and colour in planes of their own, 1.5 bytes a pixel.
// Copying those out of the page costs a fraction of turning them into a bitmap of 4 bytes a pixel
// and copying that; whoever receives them gets the same colours to the bit.

/**
 * @typedef {object} Planes what a VideoFrame can be made of anywhere else
 * @property {ArrayBuffer} data
 * @property {VideoFrameBufferInit} init
 */
/** @typedef {ImageBitmap|Planes} Picture as it travels to where it is read */

// Two full HD pictures. Above, a bitmap of the size that is sent is the smaller burden.
const MOST_PIXELS = 2 * 1920 * 1088;
const FORMATS = ["I420", "NV12"];

/** Browsers from before `rotation` may turn a picture without saying so. */
export function canTakePlanes() {
  return "VideoFrame" in globalThis && "rotation" in VideoFrame.prototype;
}

/**
 * @param {VideoFrame} frame
 * @returns {Promise<Planes|null>} null where the planes alone would not show the picture: turned,
 *     more than 8 bits, transparent, on the graphics card without a way out, or too large
 */
export async function planesOf(frame) {
  const { format, visibleRect, rotation, flip } = /** @type {VideoFrame & Turned} */ (frame);
  if (!format || !visibleRect || !FORMATS.includes(format) || rotation !== 0 || flip) return null;
  if (visibleRect.width * visibleRect.height > MOST_PIXELS) return null;
  try {
    const data = new ArrayBuffer(frame.allocationSize());
    const layout = await frame.copyTo(data);
    const { displayWidth, displayHeight, timestamp } = frame;
    return {
      data,
      init: {
        format,
        codedWidth: visibleRect.width,
        codedHeight: visibleRect.height,
        displayWidth,
        displayHeight,
        layout: layout.map(({ offset, stride }) => ({ offset, stride })),
        colorSpace: frame.colorSpace.toJSON(),
        timestamp,
      },
    };
  } catch (error) {
    if (error instanceof TypeError || error instanceof DOMException) return null;
    throw error;
  }
}

/**
 * @param {Planes} planes their data is taken over where the browser can
 * @returns {VideoFrame}
 */
export function frameFrom({ data, init }) {
  return new VideoFrame(data, /** @type {VideoFrameBufferInit} */ ({ ...init, transfer: [data] }));
}

/** @typedef {{rotation?: number, flip?: boolean}} Turned */
