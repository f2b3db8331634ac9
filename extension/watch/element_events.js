// What happens to a video element, in the words of the session that watches it.

/**
 * @typedef {object} ElementEvents
 * @property {() => void} onJump it shows, or goes to, another place of the video
 * @property {() => void} onFlow it plays, or plays no longer
 * @property {() => void} onPause
 * @property {() => void} onResize
 * @property {() => void} onFloat its picture has gone to a window of its own, or is back
 * @property {() => void} onEmptied what it showed is gone
 * @property {() => void} onBegin it begins to load what it is to show
 * @property {() => void} onKnown which video it shows can be told
 * @property {() => void} onLength the video's length is another, or has become known
 */

/**
 * @param {HTMLVideoElement} video
 * @param {ElementEvents} events
 * @param {AbortSignal} signal ends it
 */
export function listenTo(video, events, signal) {
  /** @type {Record<string, (() => void)[]>} */
  const heard = {
    seeking: [events.onJump],
    play: [events.onFlow],
    playing: [events.onFlow],
    pause: [events.onPause, events.onFlow],
    ended: [events.onFlow],
    resize: [events.onResize],
    enterpictureinpicture: [events.onFloat],
    leavepictureinpicture: [events.onFloat],
    emptied: [events.onEmptied],
    loadstart: [events.onBegin],
    loadedmetadata: [events.onKnown],
    durationchange: [events.onLength],
  };
  for (const [type, told] of Object.entries(heard)) {
    for (const tell of told) video.addEventListener(type, tell, { signal });
  }
}
