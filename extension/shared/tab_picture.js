// A tab's picture, for videos whose own pixels the browser keeps from extensions.

/** Between two single pictures of a tab: the browser takes two a second. */
export const SHOTS_APART_MS = 525;

/**
 * How a tab's picture is had. none: this browser has no way; off: nobody has asked; stream: as it is
 * shown; shots: single pictures; lost: it has ended without being asked to
 * @typedef {"none"|"off"|"stream"|"shots"|"lost"} TabPicture
 */

/** @typedef {{x: number, y: number, width: number, height: number}} Rect */
/**
 * @typedef {object} TabPlace where a video is in it; lengths in CSS pixels of the window
 * @property {Rect} picture the whole picture of the video, whether it can be seen or not
 * @property {Rect} visible the part that can be seen
 * @property {Rect[]} covers what lies on that
 * @property {boolean} mirrored
 * @property {number} rate at which it plays
 * @property {Rect} view the part of the window that is shown: all of it, unless it is pinched larger
 */
/**
 * @typedef {object} FramePlace where an embedded frame is in it; lengths in CSS pixels of the tab's window
 * @property {Rect} rect
 * @property {Rect} visible the part of it that is in view
 * @property {Rect} view the part of the tab's window that is shown
 */

/** @param {TabPicture|undefined} picture @returns {picture is "stream"|"shots"} whether it can be had now */
export function isSeen(picture) {
  return picture === "stream" || picture === "shots";
}
