// One stream over one WebSocket, with reconnection. The relay and the server's live page use it.

import {
  CLOSE_NOT_AUTHORISED,
  CLOSE_OVER_LIMIT,
  FINAL_CLOSE_CODES,
  ProtocolError,
  SUBPROTOCOL,
  control,
  encodeFrame,
  explain,
  hello,
  parseServerMessage,
  streamAddress,
} from "../protocol/messages.js";

/** @typedef {import("./link.js").ClientEvents} ClientEvents */
/** @typedef {import("./link.js").Control} Control */
/** @typedef {import("./link.js").FrameHeader} FrameHeader */
/** @typedef {import("./link.js").Target} Target */

const FIRST_DELAY_MS = 500;
const LAST_DELAY_MS = 15_000;
/** Two or three frames: more than that in the socket's own buffer would be a queue that grows. */
const MOST_WAITING_BYTES = 400_000;

export class WebSocketClient {
  /** @param {Target} target @param {ClientEvents} events */
  constructor(target, events) {
    this.target = target;
    this.events = events;
    /** @type {WebSocket|null} */
    this.socket = null;
    this.welcomed = false;
    this.closed = false;
    this.paused = false;
    this.delay = FIRST_DELAY_MS;
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.timer = undefined;
    this.connect();
  }

  connect() {
    this.welcomed = false;
    this.events.onState("connecting", "");
    let socket;
    try {
      socket = new WebSocket(streamAddress(this.target.server), SUBPROTOCOL);
    } catch (error) {
      this.events.onState("refused", String(error));
      return;
    }
    this.socket = socket;
    socket.onopen = () => socket.send(hello(this.target.token, this.target.source));
    socket.onmessage = (event) => this.receive(String(event.data));
    socket.onclose = (event) => this.lost(event.code, event.reason);
  }

  /** @param {string} text */
  receive(text) {
    let message;
    try {
      message = parseServerMessage(text);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.closed = true;
      this.socket?.close();
      this.events.onState("refused", error.message);
      return;
    }
    if (message === null) return;
    if (message.type === "welcome") {
      this.welcomed = true;
      this.delay = FIRST_DELAY_MS;
      if (this.paused) this.socket?.send(control("pause"));
      this.events.onState("open", "");
    }
    this.events.onMessage(message);
  }

  /** @param {number} code @param {string} reason */
  lost(code, reason) {
    const full = code === CLOSE_OVER_LIMIT && !this.welcomed;
    this.socket = null;
    this.welcomed = false;
    if (this.closed) return;
    if (FINAL_CLOSE_CODES.includes(code)) {
      this.events.onState(code === CLOSE_NOT_AUTHORISED ? "not_authorised" : "refused", reason);
      return;
    }
    this.events.onState(full ? "full" : "no_server", reason);
    this.timer = setTimeout(() => this.connect(), this.delay * (0.8 + 0.4 * Math.random()));
    this.delay = Math.min(this.delay * 2, LAST_DELAY_MS);
  }

  /** What the socket has taken and not sent yet. */
  get waitingBytes() {
    return this.socket?.bufferedAmount ?? 0;
  }

  /** @param {FrameHeader} header @param {ArrayBuffer} picture */
  sendFrame(header, picture) {
    if (!this.welcomed || this.waitingBytes > MOST_WAITING_BYTES) return;
    this.socket?.send(encodeFrame(header, picture));
  }

  /** @param {Control} type */
  sendControl(type) {
    if (type !== "seek") this.paused = type === "pause";
    if (this.welcomed) this.socket?.send(control(type));
  }

  /** @param {number} track */
  explain(track) {
    if (this.welcomed) this.socket?.send(explain(track));
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    if (this.socket?.readyState === WebSocket.OPEN) {
      this.socket.send(control("bye"));
      this.socket.close(1000);
    } else {
      this.socket?.close();
    }
  }
}
