// The track of a call, a camera or a screen that an element shows. Pages of calls make their tiles anew
// when people come, go or change places, and hand the same track to another element: what was found of
// a person goes with the track.

/**
 * As the browsers do, the first that is still live.
 * @param {HTMLVideoElement} video
 * @returns {MediaStreamTrack|null} null for files and for media that the page puts together itself
 */
export function trackOf(video) {
  const stream = /** @type {Partial<MediaStream>|null} */ (video.srcObject);
  const tracks = stream?.getVideoTracks?.() ?? [];
  return tracks.find(({ readyState }) => readyState === "live") ?? tracks[0] ?? null;
}

/**
 * @param {HTMLVideoElement} video
 * @returns {string|null} a name that no other track of the document has; null for what is no stream
 */
export function trackNameOf(video) {
  const track = trackOf(video);
  // Both ends of a connection within one page have the same id; their settings tell them apart.
  return track && `${track.id} ${track.getSettings().deviceId ?? ""}`;
}
