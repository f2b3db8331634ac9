// One stream over one WebSocket, with reconnection. The relay and the server's live page use it.

import {
  CLOSE_NOT_AUTHORISED,
  FINAL_CLOSE_CODES,
  ProtocolError,
  SUBPROTOCOL,
  control,
  encodeFrame,
  explain,
  hello,
  parseServerMessage,
  streamAddress,
} from "./messages.js";

/** @typedef {import("../capture/planes.js").Picture} Picture */
/** @typedef {import("./messages.js").FrameHeader} FrameHeader */
/** @typedef {import("./messages.js").ServerMessage} ServerMessage */
/** @typedef {import("./messages.js").Source} Source */
/**
 * What a capture session needs of the way to the server: direct from the server's own page, or
 * through the extension's relay.
 * @typedef {object} Link
 * @property {(header: FrameHeader, picture: Picture) => void} sendFrame takes the picture over
 * @property {(type: "seek"|"pause"|"resume") => void} sendControl
 * @property {(track: number) => void} explain asks where in a face the evidence lies
 * @property {() => void} close
 */
/** @typedef {"connecting"|"open"|"no_server"|"not_authorised"|"refused"} LinkState */
/**
 * @typedef {object} ClientEvents
 * @property {(message: ServerMessage) => void} onMessage
 * @property {(state: LinkState, detail: string) => void} onState
 */
/** @typedef {ClientEvents & {onFinding: (finding: Finding) => void}} LinkEvents */
/** @typedef {import("../capture/reader.js").Fault|"picture"} Finding what a picture turned out to be */

const FIRST_DELAY_MS = 500;
const LAST_DELAY_MS = 15_000;
// Two or three frames: more than that in the socket's own buffer would be a queue that grows.
const MOST_BUFFERED_BYTES = 400_000;

export class StreamClient {
  /**
   * @param {{server: string, token: string, source: Source}} target
   * @param {ClientEvents} events
   */
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
    this.socket = null;
    this.welcomed = false;
    if (this.closed) return;
    if (FINAL_CLOSE_CODES.includes(code)) {
      this.events.onState(code === CLOSE_NOT_AUTHORISED ? "not_authorised" : "refused", reason);
      return;
    }
    this.events.onState("no_server", reason);
    this.timer = setTimeout(() => this.connect(), this.delay * (0.8 + 0.4 * Math.random()));
    this.delay = Math.min(this.delay * 2, LAST_DELAY_MS);
  }

  /** @param {FrameHeader} header @param {ArrayBuffer} picture */
  sendFrame(header, picture) {
    if (!this.welcomed || !this.socket || this.socket.bufferedAmount > MOST_BUFFERED_BYTES) return;
    this.socket.send(encodeFrame(header, picture));
  }

  /** @param {"seek"|"pause"|"resume"} type */
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
