// A picture as the decoder made it: brightness and colour in planes of their own, 1.5 bytes a pixel.
// Copying those out of the page costs a fraction of turning them into a bitmap of 4 bytes a pixel
// and copying that; whoever receives them gets the same colours to the bit.

/**
 * @typedef {object} Planes what a VideoFrame can be made of anywhere else
 * @property {ArrayBuffer} data
 * @property {VideoFrameBufferInit} init
 */
/** @typedef {ImageBitmap|Planes} Picture as it travels to where it is read */
/** @typedef {import("../protocol/messages.js").Place} Place */

// Two full HD pictures. Above, a bitmap of the size that is sent is the smaller burden.
const MOST_PIXELS = 2 * 1920 * 1088;
const FORMATS = ["I420", "NV12"];

/** Browsers from before `rotation` may turn a picture without saying so. */
export function canTakePlanes() {
  return "VideoFrame" in globalThis && "rotation" in VideoFrame.prototype;
}

/**
 * @param {VideoFrame} frame
 * @param {Place|null} part of it, at even pixels; null for all
 * @returns {Promise<Planes|null>} null where the planes alone would not show the picture: turned,
 *     more than 8 bits, transparent, on the graphics card without a way out, or too large
 */
export async function planesOf(frame, part = null) {
  const { format, visibleRect, rotation, flip } = /** @type {VideoFrame & Turned} */ (frame);
  if (!format || !visibleRect || !FORMATS.includes(format) || rotation !== 0 || flip) return null;
  const rect = part ? within(visibleRect, part) : visibleRect;
  if (rect.width * rect.height > MOST_PIXELS) return null;
  // Pixels that are not square: a part would have to be stretched.
  const square = frame.displayWidth === visibleRect.width && frame.displayHeight === visibleRect.height;
  if (part && !square) return null;
  try {
    const data = new ArrayBuffer(frame.allocationSize({ rect }));
    const layout = await frame.copyTo(data, { rect });
    const { timestamp } = frame;
    return {
      data,
      init: {
        format,
        codedWidth: rect.width,
        codedHeight: rect.height,
        displayWidth: part ? rect.width : frame.displayWidth,
        displayHeight: part ? rect.height : frame.displayHeight,
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

/** @param {Picture} picture is taken over @returns {ImageBitmap|VideoFrame} */
export function drawable(picture) {
  return picture instanceof ImageBitmap ? picture : frameFrom(picture);
}

/** @param {DOMRectReadOnly} visible @param {Place} part */
function within({ x, y }, [left, top, width, height]) {
  return { x: x + left, y: y + top, width, height };
}

/** @typedef {{rotation?: number, flip?: boolean}} Turned */
