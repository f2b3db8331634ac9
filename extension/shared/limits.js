/** Of a picture of all of a video that is sent, pixels: the models have no use for more. */
export const LONGEST_SIDE = 960;
/** Videos of one tab that are watched at the same time; each has a stream of its own. */
export const MOST_VIDEOS = 4;
/** Smaller players than this (CSS pixels) are previews and ornaments. */
export const SMALLEST = Object.freeze({ width: 120, height: 68 });
/** Videos of one page that are shown as waiting for their turn; the largest, those judged included. */
export const MOST_SHOWN = 30;
