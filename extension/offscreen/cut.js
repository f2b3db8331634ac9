// Cuts a video's picture out of its tab's.

/** @typedef {import("../shared/tab_picture.js").TabPlace} TabPlace */
/** @typedef {import("../shared/tab_picture.js").Rect} Rect */
/** @typedef {{width: number, height: number}} Size */

/** In the place of what cannot be seen of a video: no face is found in one flat grey. */
const UNSEEN = "#808080";

/**
 * A picture of a tab keeps the window's shape: what is left over is black, on both sides alike.
 * @param {Size} shot pixels of the tab's picture
 * @param {Size} view the shown part of the window, CSS pixels
 * @returns {Rect & {scale: number}} where the window is in the picture, and pixels per CSS pixel
 */
export function windowIn(shot, view) {
  const scale = Math.min(shot.width / view.width, shot.height / view.height);
  const width = view.width * scale;
  const height = view.height * scale;
  return { x: (shot.width - width) / 2, y: (shot.height - height) / 2, width, height, scale };
}

/**
 * @param {VideoFrame|ImageBitmap} shot the tab's picture; stays open
 * @param {Size} shotSize
 * @param {TabPlace} place
 * @param {Size} size of the picture that is made
 * @returns {ImageBitmap} the whole picture of the video, upright as the video has it, grey where it
 *     cannot be seen
 */
export function cut(shot, shotSize, { picture, visible, covers, mirrored, view }, size) {
  const canvas = new OffscreenCanvas(size.width, size.height);
  const context = canvas.getContext("2d", { alpha: false });
  if (!context) throw new Error("this browser gives no 2d canvas");
  context.imageSmoothingQuality = "high";
  context.fillStyle = UNSEEN;
  context.fillRect(0, 0, size.width, size.height);
  if (mirrored) {
    context.translate(size.width, 0);
    context.scale(-1, 1);
  }
  const across = size.width / picture.width;
  const down = size.height / picture.height;
  /** @param {Rect} rect in the window @returns {[number, number, number, number]} in the picture made */
  const within = (rect) => [
    (rect.x - picture.x) * across,
    (rect.y - picture.y) * down,
    rect.width * across,
    rect.height * down,
  ];
  const { x, y, scale } = windowIn(shotSize, view);
  const left = x + (visible.x - view.x) * scale;
  const top = y + (visible.y - view.y) * scale;
  context.drawImage(shot, left, top, visible.width * scale, visible.height * scale, ...within(visible));
  for (const cover of covers) context.fillRect(...within(cover));
  return canvas.transferToImageBitmap();
}
