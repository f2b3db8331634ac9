/** Videos of one tab that are watched at the same time; each has a stream of its own. */
export const MOST_VIDEOS = 4;
