// The clock by which the pictures of a video are told. A file has its own. A stream of a call or a
// camera has none that is worth much: Chromium counts the track's time in the picture and the
// element's in the element, Firefox gives every picture the time 0. Streams go by the page's clock,
// which also goes on when the track moves to another element.

/**
 * @param {HTMLVideoElement} video
 * @param {number} mediaTime seconds, as the browser tells it of the picture
 * @returns {number} seconds
 */
export function timeOfPicture(video, mediaTime) {
  return video.srcObject ? performance.now() / 1000 : mediaTime;
}

/**
 * When a callback for a picture was made. In another window the browser counts from that window's start.
 * @param {HTMLVideoElement} video
 * @param {number} now milliseconds, as the callback was told
 * @returns {number} milliseconds of this document's clock
 */
export function timeOfCallback(video, now) {
  return video.ownerDocument === globalThis.document ? now : performance.now();
}

/**
 * @param {HTMLVideoElement} video
 * @returns {number} seconds: where it is now, by the same clock
 */
export function timeNow(video) {
  return video.srcObject ? performance.now() / 1000 : video.currentTime;
}

/**
 * @param {HTMLVideoElement} video
 * @returns {number} how many seconds of that clock pass in one of real time
 */
export function speedOf(video) {
  return video.srcObject ? 1 : video.playbackRate;
}
