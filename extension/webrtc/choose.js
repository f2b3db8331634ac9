// Which way pictures travel. On the person's own machine the WebSocket is simplest and exact; to a
// server elsewhere WebRTC copes better with loss and a thin uplink.

/** @typedef {"auto"|"websocket"|"webrtc"} Transport what the person has set */
/** @typedef {"websocket"|"webrtc"} Way what is in use */

const LOOPBACK = Object.freeze(["127.0.0.1", "localhost", "[::1]"]);

/** @param {string} server address such as `https://example.org` */
export function isLoopback(server) {
  return LOOPBACK.includes(new URL(server).hostname);
}

/** Whether this browser can send bitmaps as a track and tell which RTP timestamp each one got. */
export function webrtcWorks() {
  const scope = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (globalThis));
  return ["RTCPeerConnection", "MediaStreamTrackGenerator", "RTCRtpScriptTransform", "VideoFrame"].every(
    (name) => typeof scope[name] === "function",
  );
}

/**
 * The way to begin with. A browser without the means sends by WebSocket whatever is set.
 * @param {Transport} setting
 * @param {string} server
 * @param {boolean} works
 * @returns {Way}
 */
export function firstWay(setting, server, works = webrtcWorks()) {
  if (!works || setting === "websocket") return "websocket";
  return setting === "webrtc" || !isLoopback(server) ? "webrtc" : "websocket";
}

/** Notices an uplink that is too thin for single pictures: most of them are not sent in time. */
export class Uplink {
  constructor() {
    /** @type {{at: number, sent: boolean}[]} */
    this.recent = [];
  }

  /** @param {boolean} sent the frames before were sent in time @param {number} now seconds */
  note(sent, now) {
    this.recent.push({ at: now, sent });
    while (this.recent.length && now - this.recent[0].at > 10) this.recent.shift();
  }

  get isThin() {
    const skipped = this.recent.filter(({ sent }) => !sent).length;
    return this.recent.length >= 30 && skipped > this.recent.length / 2;
  }
}
