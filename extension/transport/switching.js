// A client that begins with one transport and changes to the other when it does not work.

import { WebSocketClient } from "./websocket.js";
import { Uplink, firstTransport, webrtcWorks } from "./choice.js";
import { WebRtcClient } from "./webrtc/client.js";

/** @typedef {import("./choice.js").TransportSetting} TransportSetting */
/** @typedef {import("./link.js").ClientEvents} ClientEvents */
/** @typedef {import("./link.js").Control} Control */
/** @typedef {import("./link.js").Finding} Finding */
/** @typedef {import("./link.js").FrameHeader} FrameHeader */
/** @typedef {import("./link.js").Target} Target */

/** With more than this in the socket's own buffer the frames before were not sent in time. */
const IN_TIME_BYTES = 200_000;
/** WebRTC is tried again no sooner than this after the last try; networks change. */
const TRY_AGAIN_MS = 5 * 60_000;

export class SwitchingClient {
  /**
   * @param {Target & {transport: TransportSetting}} target
   * @param {ClientEvents} events
   */
  constructor(target, events) {
    this.target = target;
    this.events = events;
    this.uplink = new Uplink();
    this.paused = false;
    this.closed = false;
    this.webrtcTriedAt = -Infinity;
    /** @type {WebSocketClient|null} */
    this.websocket = null;
    /** @type {WebRtcClient|null} */
    this.webrtc = null;
    if (firstTransport(target.transport, target.server) === "webrtc") this.useWebRtc();
    else this.useWebSocket();
  }

  /** Whether frames go as bitmaps, without being encoded one by one. */
  get takesBitmaps() {
    return this.webrtc !== null;
  }

  useWebSocket() {
    this.webrtc?.close();
    this.webrtc = null;
    this.websocket = new WebSocketClient(this.target, this.events);
    if (this.paused) this.websocket.sendControl("pause");
  }

  useWebRtc() {
    this.websocket?.close();
    this.websocket = null;
    this.webrtcTriedAt = performance.now();
    this.webrtc = new WebRtcClient(this.target, {
      ...this.events,
      onFailure: (failure, detail) => {
        this.webrtc = null;
        if (this.closed) return;
        if (failure === "no_webrtc") this.useWebSocket();
        else this.events.onState(failure, detail);
      },
    });
    if (this.paused) this.webrtc.sendControl("pause");
  }

  /** @param {FrameHeader} header @param {ArrayBuffer} picture */
  sendFrame(header, picture) {
    if (!this.websocket) return;
    const now = performance.now();
    this.uplink.note(this.websocket.waitingBytes < IN_TIME_BYTES, now / 1000);
    this.websocket.sendFrame(header, picture);
    const mayChange = this.target.transport === "auto" && webrtcWorks();
    if (mayChange && this.uplink.isThin && now - this.webrtcTriedAt > TRY_AGAIN_MS) {
      this.uplink = new Uplink();
      this.useWebRtc();
    }
  }

  /**
   * @param {FrameHeader} header
   * @param {ImageBitmap} bitmap is taken over
   * @returns {Promise<Finding|null>}
   */
  async sendBitmap(header, bitmap) {
    if (this.webrtc) return this.webrtc.sendBitmap(header, bitmap);
    bitmap.close();
    return null;
  }

  /** @param {Control} type */
  sendControl(type) {
    if (type !== "seek") this.paused = type === "pause";
    this.websocket?.sendControl(type);
    this.webrtc?.sendControl(type);
  }

  /** @param {number} track */
  explain(track) {
    this.websocket?.explain(track);
    this.webrtc?.explain(track);
  }

  close() {
    this.closed = true;
    this.websocket?.close();
    this.webrtc?.close();
  }
}
