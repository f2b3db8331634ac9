// What a video shows, by a name that does not depend on the element. Pages of calls make their tiles
// anew when people come, go or change places, and hand the same track to another element: what was
// found of a person must move with the track.

/**
 * The track whose pictures an element shows: as the browsers do, the first that is still live.
 * @param {HTMLVideoElement} video
 * @returns {MediaStreamTrack|null} null for files and for media that the page puts together itself
 */
export function trackOf(video) {
  const stream = /** @type {Partial<MediaStream>|null} */ (video.srcObject);
  const tracks = stream?.getVideoTracks?.() ?? [];
  return tracks.find(({ readyState }) => readyState === "live") ?? tracks[0] ?? null;
}

/**
 * The same for every element that shows the same track or plays the same address.
 * @param {HTMLVideoElement} video
 * @returns {string|null} null while it has nothing to show
 */
export function identityOf(video) {
  const track = trackOf(video);
  // Both ends of a connection within one page have the same id; only their settings tell them apart.
  if (track) return `track:${track.id}:${track.getSettings().deviceId ?? ""}`;
  if (video.srcObject) return null;
  const address = video.currentSrc.split("#")[0];
  return address ? `address:${address}` : null;
}
