// The hidden extension frame that owns the sockets. It runs in the extension's own origin, so the
// token never enters the page's process, and the browser's guard on local addresses lets it
// through. A page that embeds this frame by itself has no nonce and gets nothing.

import { MOST_VIDEOS } from "../../shared/limits.js";
import { load } from "../../shared/settings.js";
import { frameFrom } from "../../capture/planes.js";
import { OffloadedEncoder } from "../../capture/offload.js";
import { SwitchingClient } from "../switching.js";

/** @typedef {import("../../protocol/messages.js").Source} Source */

/** @type {Set<PortLink>} */
const links = new Set();

class PortLink {
  /** @param {MessagePort} port @param {Source["kind"]} kind */
  constructor(port, kind) {
    this.port = port;
    this.kind = kind;
    this.paused = false;
    this.turn = 0;
    this.encoder = new OffloadedEncoder();
    /** What was told last, to tell only changes. */
    this.finding = "";
    /** @type {SwitchingClient|null} */
    this.client = null;
    port.onmessage = (event) => this.receive(event.data);
    // Newer browsers tell when the other end is gone; older ones rely on "bye" and on unload.
    port.addEventListener("close", () => this.end());
  }

  async start() {
    const turn = ++this.turn;
    this.client?.close();
    this.client = null;
    const { server, token, transport } = await load();
    // Ended meanwhile, or the settings changed again: the later turn makes the client.
    if (!links.has(this) || turn !== this.turn) return;
    if (!token) {
      this.port.postMessage({ type: "state", state: "not_authorised", detail: "" });
      return;
    }
    this.client = new SwitchingClient(
      { server, token, source: { kind: this.kind }, transport },
      {
        onMessage: (message) => this.port.postMessage({ type: "message", message }),
        onState: (state, detail) => this.port.postMessage({ type: "state", state, detail }),
      },
    );
    if (this.paused) this.client.sendControl("pause");
  }

  /** @param {any} data */
  receive(data) {
    if (data?.type === "jpeg" && data.jpeg instanceof ArrayBuffer) {
      this.client?.sendFrame(data.header, data.jpeg);
    } else if (data?.type === "picture" && data.picture instanceof ImageBitmap) {
      void this.send(data.header, data.picture);
    } else if (data?.type === "picture" && data.picture?.data instanceof ArrayBuffer) {
      void this.send(data.header, frameFrom(data.picture));
    } else if (data?.type === "seek" || data?.type === "pause" || data?.type === "resume") {
      if (data.type === "seek") this.finding = "";
      else this.paused = data.type === "pause";
      this.client?.sendControl(data.type);
    } else if (data?.type === "explain" && Number.isInteger(data.track)) {
      this.client?.explain(data.track);
    } else if (data?.type === "bye") {
      this.end();
    }
  }

  /**
   * @param {import("../../protocol/messages.js").FrameHeader} header
   * @param {ImageBitmap|VideoFrame} picture
   */
  async send(header, picture) {
    if (this.client?.takesBitmaps) {
      this.tell(await this.client.sendBitmap(header, await toBitmap(picture, header)));
      return;
    }
    const encoded = await this.encoder.encode(picture, header);
    if (!encoded) return;
    this.tell("fault" in encoded ? encoded.fault : "picture");
    if ("jpeg" in encoded) this.client?.sendFrame(header, encoded.jpeg);
  }

  /** @param {import("../link.js").Finding|null} finding */
  tell(finding) {
    if (!finding) return;
    if (finding !== this.finding) this.port.postMessage({ type: "finding", finding });
    this.finding = finding;
  }

  end() {
    links.delete(this);
    this.client?.close();
    this.encoder.close();
    this.port.close();
  }
}

/**
 * @param {ImageBitmap|VideoFrame} picture is taken over
 * @param {{width: number, height: number}} size
 */
async function toBitmap(picture, { width, height }) {
  if (picture instanceof ImageBitmap) return picture;
  const size = { resizeWidth: width, resizeHeight: height };
  return createImageBitmap(picture, size).finally(() => picture.close());
}

addEventListener("message", async (event) => {
  const [port] = event.ports;
  const data = event.data;
  if (event.source !== parent || !port || data?.type !== "open") return;
  const answer = await chrome.runtime.sendMessage({ type: "redeem", nonce: data.nonce });
  if (answer?.ok !== true || links.size >= MOST_VIDEOS) {
    port.close();
    return;
  }
  const link = new PortLink(port, data.kind === "camera" ? "camera" : "tab");
  links.add(link);
  await link.start();
});

chrome.storage.onChanged.addListener((changes, area) => {
  if (area !== "local" || !(changes.server || changes.token || changes.transport)) return;
  for (const link of links) void link.start();
});

addEventListener("pagehide", () => {
  for (const link of [...links]) link.end();
});
