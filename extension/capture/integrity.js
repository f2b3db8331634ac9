// Is what the canvas gives back what the video shows? Some browsers add noise to canvas readback
// against fingerprinting, and encrypted video comes out black without any error. Neither may be
// judged: a detector takes such pictures for fakes, or for nothing at all.

/** Of the pattern, pixels. */
export const PATTERN_SIDE = 32;

/** @type {Promise<boolean>|null} */
let probe = null;

/**
 * Draw a known pattern and read it back both ways that pixels leave the canvas. The answer holds
 * for the life of the document.
 * @returns {Promise<boolean>} true when every pixel came back as it was drawn
 */
export function canvasIsFaithful() {
  probe ??= runProbe().catch(() => false);
  return probe;
}

async function runProbe() {
  const canvas = new OffscreenCanvas(PATTERN_SIDE, PATTERN_SIDE);
  const context = context2d(canvas);
  for (let y = 0; y < PATTERN_SIDE; y += 2) {
    for (let x = 0; x < PATTERN_SIDE; x += 2) {
      context.fillStyle = `rgb(${patternAt(x, y).join(",")})`;
      context.fillRect(x, y, 2, 2);
    }
  }
  if (!matchesPattern(context.getImageData(0, 0, PATTERN_SIDE, PATTERN_SIDE).data)) return false;
  const blob = await canvas.convertToBlob({ type: "image/png" });
  const bitmap = await createImageBitmap(blob);
  context.clearRect(0, 0, PATTERN_SIDE, PATTERN_SIDE);
  context.drawImage(bitmap, 0, 0);
  return matchesPattern(context.getImageData(0, 0, PATTERN_SIDE, PATTERN_SIDE).data);
}

/**
 * Smooth and noisy parts both, because some noise is added only where neighbours differ.
 * @param {number} x
 * @param {number} y
 * @returns {[number, number, number]}
 */
export function patternAt(x, y) {
  const cell = (y >> 1) * (PATTERN_SIDE / 2) + (x >> 1);
  if (y < PATTERN_SIDE / 2) return [x * 8, y * 8, 128];
  return [(cell * 73) & 255, (cell * 151) & 255, (cell * 199) & 255];
}

/** @param {Uint8ClampedArray} pixels @returns {boolean} whether they are the pattern to the bit */
export function matchesPattern(pixels) {
  for (let y = 0; y < PATTERN_SIDE; y++) {
    for (let x = 0; x < PATTERN_SIDE; x++) {
      const [r, g, b] = patternAt(x - (x % 2), y - (y % 2));
      const at = (y * PATTERN_SIDE + x) * 4;
      if (pixels[at] !== r || pixels[at + 1] !== g || pixels[at + 2] !== b) return false;
    }
  }
  return true;
}

/**
 * Watches for pictures that are one flat black, which real dark scenes never are for long.
 */
export class BlackWatch {
  /** @param {number} patience seconds of black before it counts as no picture */
  constructor(patience = 2) {
    this.patience = patience;
    /** @type {number|null} */
    this.since = null;
    this.canvas = new OffscreenCanvas(16, 16);
    this.context = context2d(this.canvas);
  }

  /**
   * @param {CanvasImageSource} picture
   * @param {number} now seconds
   * @returns {"picture"|"black"|"still_black"} black: this frame only; still_black: for longer than
   *     the patience
   */
  look(picture, now) {
    this.context.drawImage(picture, 0, 0, 16, 16);
    const { data } = this.context.getImageData(0, 0, 16, 16);
    let brightest = 0;
    for (let at = 0; at < data.length; at += 4) {
      brightest = Math.max(brightest, data[at], data[at + 1], data[at + 2]);
    }
    if (brightest > 2) {
      this.since = null;
      return "picture";
    }
    this.since ??= now;
    return now - this.since >= this.patience ? "still_black" : "black";
  }
}

/** @param {OffscreenCanvas} canvas */
function context2d(canvas) {
  const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  if (!context) throw new Error("this browser gives no 2d canvas");
  return context;
}
