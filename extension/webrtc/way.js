// The way to the server that is in use, and the change to the other when it does not work.

import { StreamClient } from "../protocol/client.js";
import { Uplink, firstWay, webrtcWorks } from "./choose.js";
import { WhipClient } from "./whip.js";

/** @typedef {import("../protocol/client.js").ClientEvents} ClientEvents */
/** @typedef {import("../protocol/client.js").Finding} Finding */
/** @typedef {import("../protocol/messages.js").FrameHeader} FrameHeader */
/** @typedef {import("../protocol/messages.js").Source} Source */
/** @typedef {import("./choose.js").Transport} Transport */

// After a failure the other way is kept this long; networks change.
const MOST_WAITING_BYTES = 200_000;
const TRY_AGAIN_MS = 5 * 60_000;

export class Way {
  /**
   * @param {{server: string, token: string, source: Source, transport: Transport}} target
   * @param {ClientEvents} events
   */
  constructor(target, events) {
    this.target = target;
    this.events = events;
    this.uplink = new Uplink();
    this.paused = false;
    this.closed = false;
    this.wasWebrtc = -Infinity;
    /** @type {StreamClient|null} */
    this.socket = null;
    /** @type {WhipClient|null} */
    this.whip = null;
    if (firstWay(target.transport, target.server) === "webrtc") this.useWebrtc();
    else this.useSocket();
  }

  /** Whether frames go as bitmaps, without being encoded one by one. */
  get takesBitmaps() {
    return this.whip !== null;
  }

  useSocket() {
    this.whip?.close();
    this.whip = null;
    this.socket = new StreamClient(this.target, this.events);
    if (this.paused) this.socket.sendControl("pause");
  }

  useWebrtc() {
    this.socket?.close();
    this.socket = null;
    this.wasWebrtc = performance.now();
    this.whip = new WhipClient(this.target, {
      ...this.events,
      onFailure: (failure, detail) => {
        this.whip = null;
        if (this.closed) return;
        if (failure === "not_authorised" || failure === "refused") {
          this.events.onState(failure, detail);
          return;
        }
        this.useSocket();
      },
    });
    if (this.paused) this.whip.sendControl("pause");
  }

  /** @param {FrameHeader} header @param {ArrayBuffer} picture */
  sendFrame(header, picture) {
    if (!this.socket) return;
    const waiting = this.socket.socket?.bufferedAmount ?? 0;
    this.uplink.note(waiting < MOST_WAITING_BYTES, performance.now() / 1000);
    this.socket.sendFrame(header, picture);
    const mayChange = this.target.transport === "auto" && webrtcWorks();
    if (mayChange && this.uplink.isThin && performance.now() - this.wasWebrtc > TRY_AGAIN_MS) {
      this.uplink = new Uplink();
      this.useWebrtc();
    }
  }

  /**
   * @param {FrameHeader} header
   * @param {ImageBitmap} bitmap is taken over
   * @returns {Promise<Finding|null>}
   */
  async sendBitmap(header, bitmap) {
    if (this.whip) return this.whip.sendBitmap(header, bitmap);
    bitmap.close();
    return null;
  }

  /** @param {"seek"|"pause"|"resume"} type */
  sendControl(type) {
    if (type !== "seek") this.paused = type === "pause";
    this.socket?.sendControl(type);
    this.whip?.sendControl(type);
  }

  /** @param {number} track */
  explain(track) {
    this.socket?.explain(track);
    this.whip?.explain(track);
  }

  close() {
    this.closed = true;
    this.socket?.close();
    this.whip?.close();
  }
}
