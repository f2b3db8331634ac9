// The time of a frame within its video.

/**
 * Firefox counts on when a video loops: the first frame of the second round has the time of the
 * video's whole length, where other browsers, and the element itself, begin again at nought.
 * @param {number} mediaTime seconds, as the browser tells it of a frame
 * @param {{currentTime: number, duration: number}} video the element that shows the frame
 * @returns {number} seconds from the video's beginning
 */
export function timeInVideo(mediaTime, { currentTime, duration }) {
  if (!Number.isFinite(duration) || duration <= 0) return mediaTime;
  const rounds = Math.round((mediaTime - currentTime) / duration);
  return rounds === 0 ? mediaTime : Math.max(0, mediaTime - rounds * duration);
}
