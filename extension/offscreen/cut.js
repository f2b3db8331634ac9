// Cuts a video's picture out of its tab's.

/** @typedef {import("../shared/tab_picture.js").TabPlace} TabPlace */
/** @typedef {import("../shared/tab_picture.js").Rect} Rect */
/** @typedef {Pick<import("../protocol/messages.js").FrameHeader, "width"|"height"|"rect">} Shown */
/** @typedef {import("../protocol/messages.js").Part} Part */
/** @typedef {import("../protocol/messages.js").Place} Place */
/** @typedef {{width: number, height: number}} Size */

/** Around what lies on a video, CSS pixels: its edge is blended with what is under it. */
const EDGE = 1;
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
 * @param {Shown} shown of the video
 * @returns {ImageBitmap[]} each part that is shown, upright as the video has it, grey where it cannot be
 *     seen
 */
export function cut(shot, shotSize, place, { width, height, rect }) {
  const video = rect ? { width: rect.video[0], height: rect.video[1] } : { width, height };
  /** @type {Part[]} */
  const parts = rect?.parts ?? [{ of: [0, 0, width, height] }];
  return parts.map(({ of, at = [0, 0, width, height] }) =>
    cutPart(shot, shotSize, place, video, of, { width: at[2], height: at[3] }),
  );
}

/**
 * @param {VideoFrame|ImageBitmap} shot
 * @param {Size} shotSize
 * @param {TabPlace} place
 * @param {Size} video pixels
 * @param {Place} part of the video
 * @param {Size} size of the picture that is made of it
 */
function cutPart(shot, shotSize, { picture, visible, covers, mirrored, view }, video, part, size) {
  const canvas = new OffscreenCanvas(size.width, size.height);
  const context = canvas.getContext("2d", { alpha: false });
  if (!context) throw new Error("this browser gives no 2d canvas");
  context.imageSmoothingQuality = "high";
  context.fillStyle = UNSEEN;
  context.fillRect(0, 0, size.width, size.height);
  const [left, top, width, height] = part;
  context.scale(size.width / width, size.height / height);
  context.translate(-left, -top);
  if (mirrored) {
    context.translate(video.width, 0);
    context.scale(-1, 1);
  }
  const across = video.width / picture.width;
  const down = video.height / picture.height;
  /** @param {Rect} rect in the window @returns {Place} in the video */
  const within = (rect) => [
    (rect.x - picture.x) * across,
    (rect.y - picture.y) * down,
    rect.width * across,
    rect.height * down,
  ];
  const { x, y, scale } = windowIn(shotSize, view);
  const from = { x: x + (visible.x - view.x) * scale, y: y + (visible.y - view.y) * scale };
  context.drawImage(shot, from.x, from.y, visible.width * scale, visible.height * scale, ...within(visible));
  for (const cover of covers) context.fillRect(...within(grown(cover)));
  return canvas.transferToImageBitmap();
}

/** @param {Rect} rect @returns {Rect} */
function grown({ x, y, width, height }) {
  return { x: x - EDGE, y: y - EDGE, width: width + 2 * EDGE, height: height + 2 * EDGE };
}
