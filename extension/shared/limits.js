/** Videos of one tab that are watched at the same time; each has a stream of its own. */
export const MOST_VIDEOS = 4;
/** Smaller players than this (CSS pixels) are previews and ornaments. */
export const SMALLEST = Object.freeze({ width: 120, height: 68 });
/** Videos of one page that are shown as waiting for their turn; the largest, those judged included. */
export const MOST_SHOWN = 30;
