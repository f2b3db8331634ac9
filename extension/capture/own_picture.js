// Which tile of a call shows the person at this computer. Nobody has to be warned of their own face.

import { trackOf } from "./track.js";
import { isMirrored } from "../shared/mirrored.js";

/** How Chromium and Firefox label what comes over a connection. */
const REMOTE = "remote video";

/**
 * Cameras and screens of this computer say so in their track's settings: only an input device has a
 * group, only a screen a surface. A picture that the page has made of the camera (another background)
 * has neither; it is muted and mirrored, as nobody shows others.
 * @param {HTMLVideoElement} video
 */
export function isOwnPicture(video) {
  const track = trackOf(video);
  if (!track || track.label === REMOTE) return false;
  const { groupId, displaySurface } = track.getSettings();
  return Boolean(groupId || displaySurface) || (video.muted && isMirrored(video));
}
