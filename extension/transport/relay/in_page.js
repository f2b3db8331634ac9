// The content script's end of the relay: makes the hidden frame and hands it one port per video.

import { drawable } from "../../capture/planes.js";
import { JpegEncoder } from "../../capture/jpeg.js";
import { RELAY_FRAME } from "../../shared/paths.js";

/** @typedef {import("../../capture/planes.js").Picture} Picture */
/** @typedef {import("../link.js").Link} Link */
/** @typedef {import("../link.js").LinkEvents} LinkEvents */
/** @typedef {import("../../protocol/messages.js").Source} Source */

const LOAD_TIMEOUT_MS = 10_000;

export class RelayHost {
  constructor() {
    /** @type {HTMLElement|null} */
    this.host = null;
    /** @type {Promise<HTMLIFrameElement>|null} */
    this.frame = null;
  }

  /** @returns {Promise<HTMLIFrameElement>} */
  ready() {
    if (this.frame && this.host?.isConnected) return this.frame;
    this.close();
    const host = document.createElement("div");
    // One transparent pixel rather than display:none, for browsers slow a process without any.
    host.style.cssText =
      "all:initial!important;position:fixed!important;left:0!important;bottom:0!important;" +
      "width:1px!important;height:1px!important;opacity:0!important;pointer-events:none!important";
    host.setAttribute("aria-hidden", "true");
    const frame = document.createElement("iframe");
    frame.tabIndex = -1;
    frame.style.cssText = "width:1px;height:1px;border:0";
    const loaded = new Promise((resolve, reject) => {
      frame.addEventListener("load", () => resolve(frame), { once: true });
      setTimeout(() => reject(new Error("the relay frame did not load")), LOAD_TIMEOUT_MS);
    });
    frame.src = chrome.runtime.getURL(RELAY_FRAME);
    // A closed shadow root: the page sees neither the frame in `frames` nor its address.
    host.attachShadow({ mode: "closed" }).append(frame);
    document.documentElement.append(host);
    this.host = host;
    this.frame = /** @type {Promise<HTMLIFrameElement>} */ (loaded);
    this.frame.catch(() => this.close());
    return this.frame;
  }

  /**
   * @param {Source["kind"]} kind
   * @param {LinkEvents} events
   * @returns {Link & {isAlive(): boolean}}
   */
  open(kind, events) {
    const { port1: port, port2: theirs } = new MessageChannel();
    let open = true;
    port.onmessage = ({ data }) => {
      if (!open) return;
      if (data.type === "message") events.onMessage(data.message);
      else if (data.type === "finding") events.onFinding(data.finding);
      else if (data.type === "state") events.onState(data.state, data.detail);
    };
    events.onState("connecting", "");
    /** @type {HTMLElement|null} */
    let host = null;
    let failed = false;
    this.hand(theirs, kind).then(
      (mine) => (host = mine),
      (error) => {
        failed = true;
        events.onState("no_server", String(error));
      },
    );
    const sender = new Sender(port, events);
    return {
      sendFrame: (header, pictures) => sender.send(header, pictures),
      sendControl: (type) => port.postMessage({ type }),
      explain: (track) => port.postMessage({ type: "explain", track }),
      close: () => {
        open = false;
        port.postMessage({ type: "bye" });
        port.close();
      },
      isAlive: () => !failed && (host === null || host.isConnected),
    };
  }

  /**
   * @param {MessagePort} port
   * @param {Source["kind"]} kind
   * @returns {Promise<HTMLElement|null>} the element that the link lives and dies with
   */
  async hand(port, kind) {
    const frame = await this.ready();
    const { nonce } = await chrome.runtime.sendMessage({ type: "nonce" });
    const origin = new URL(chrome.runtime.getURL("")).origin;
    frame.contentWindow?.postMessage({ type: "open", nonce, kind }, origin, [port]);
    return this.host;
  }

  close() {
    this.host?.remove();
    this.host = null;
    this.frame = null;
  }
}

/**
 * Pictures travel as they are, so that encoding costs the page nothing. Where they cannot
 * (bitmaps in Firefox, between processes) the page encodes them, once that has been found out.
 */
class Sender {
  /** @param {MessagePort} port @param {LinkEvents} events */
  constructor(port, events) {
    this.port = port;
    this.events = events;
    /** @type {JpegEncoder|null} where pictures have to be encoded here */
    this.encoder = null;
  }

  /** @param {import("../../protocol/messages.js").FrameHeader} header @param {Picture[]} pictures */
  send(header, pictures) {
    if (!this.encoder) {
      const transfer = pictures.map((picture) => (picture instanceof ImageBitmap ? picture : picture.data));
      try {
        this.port.postMessage({ type: "pictures", header, pictures }, transfer);
        return;
      } catch (error) {
        // By its name: in a content script it may be the page's kind of exception.
        if (/** @type {Error} */ (error).name !== "DataCloneError") throw error;
      }
    }
    void this.encodeHere(header, pictures);
  }

  /** @param {import("../../protocol/messages.js").FrameHeader} header @param {Picture[]} taken */
  async encodeHere(header, taken) {
    const encoder = this.encoder ?? new JpegEncoder();
    const encoded = await encoder.encode(taken.map(drawable), header);
    if (!encoded) return;
    if ("fault" in encoded) {
      this.events.onFinding(encoded.fault);
      return;
    }
    // It can be read but not sent: a limit of the browser's, not another site's picture.
    this.encoder = encoder;
    const { jpeg } = encoded;
    this.events.onFinding("picture");
    this.port.postMessage({ type: "jpeg", header, jpeg }, [jpeg]);
  }
}
