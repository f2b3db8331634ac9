// Which transport pictures take. On the person's own machine the WebSocket is simplest and exact; to
// a server elsewhere WebRTC copes better with loss and a thin uplink.

import { isLoopback } from "../shared/address.js";

/** @typedef {import("../shared/settings.js").TransportSetting} TransportSetting what the person has set */
/** @typedef {"websocket"|"webrtc"} Transport what is in use */

/** What the browser must have to send bitmaps as a track and tell the RTP timestamp each one got. */
const NEEDED = ["RTCPeerConnection", "MediaStreamTrackGenerator", "RTCRtpScriptTransform", "VideoFrame"];

/** How far back an uplink is judged by, seconds, and by how many frames at the least. */
const LOOK_BACK_S = 10;
const LEAST_FRAMES = 30;

export function webrtcWorks() {
  const scope = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (globalThis));
  return NEEDED.every((name) => typeof scope[name] === "function");
}

/**
 * The transport to begin with. A browser without the means sends by WebSocket whatever is set.
 * @param {TransportSetting} setting
 * @param {string} server
 * @param {boolean} works whether this browser can do WebRTC
 * @returns {Transport}
 */
export function firstTransport(setting, server, works = webrtcWorks()) {
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
    while (this.recent.length && now - this.recent[0].at > LOOK_BACK_S) this.recent.shift();
  }

  get isThin() {
    const skipped = this.recent.filter(({ sent }) => !sent).length;
    return this.recent.length >= LEAST_FRAMES && skipped > this.recent.length / 2;
  }
}
