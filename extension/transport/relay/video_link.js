// One video's way from a content script to the server: pictures in, verdicts out. It lives in the
// extension's own origin, in the hidden frame or in the offscreen document, never in a page's process.

import { OffloadedEncoder } from "../../capture/offload.js";
import { isWhole } from "../../capture/pictures.js";
import { SwitchingClient } from "../switching.js";

/** @typedef {import("../../protocol/messages.js").FrameHeader} FrameHeader */
/** @typedef {import("../../protocol/messages.js").Source} Source */
/** @typedef {{postMessage(message: unknown): void}} Other the content script's end */
/** @typedef {Pick<import("../../shared/settings.js").Settings, "server"|"token"|"transport"> & {cutOuts?: boolean}} Target */

export class VideoLink {
  /**
   * @param {Other} other
   * @param {Source["kind"]} kind
   * @param {() => Promise<Target>} target asked anew for every connection: settings change
   */
  constructor(other, kind, target) {
    this.other = other;
    this.kind = kind;
    this.target = target;
    this.paused = false;
    this.ended = false;
    this.turn = 0;
    this.encoder = new OffloadedEncoder();
    /** What was told last, to tell only changes. */
    this.finding = "";
    /** @type {SwitchingClient|null} */
    this.client = null;
  }

  async start() {
    const turn = ++this.turn;
    this.client?.close();
    this.client = null;
    const { server, token, transport, cutOuts = true } = await this.target();
    // Ended meanwhile, or the settings changed again: the later turn makes the client.
    if (this.ended || turn !== this.turn) return;
    if (!token) {
      this.other.postMessage({ type: "state", state: "not_authorised", detail: "" });
      return;
    }
    this.client = new SwitchingClient(
      { server, token, source: { kind: this.kind }, transport },
      {
        onMessage: (message) => {
          // Whoever takes the pictures does so by what the welcome allows.
          if (message.type === "welcome" && !cutOuts) delete message.limits.parts;
          this.other.postMessage({ type: "message", message });
        },
        onState: (state, detail) => this.other.postMessage({ type: "state", state, detail }),
      },
    );
    if (this.paused) this.client.sendControl("pause");
  }

  /** @param {any} data what is not about pictures */
  receive(data) {
    if (data?.type === "seek" || data?.type === "pause" || data?.type === "resume") {
      if (data.type === "seek") this.finding = "";
      else this.paused = data.type === "pause";
      this.client?.sendControl(data.type);
    } else if (data?.type === "explain" && Number.isInteger(data.track)) {
      this.client?.explain(data.track);
    } else if (data?.type === "bye") {
      this.end();
    }
  }

  /** @param {FrameHeader} header @param {ArrayBuffer} jpeg */
  sendJpeg(header, jpeg) {
    this.client?.sendFrame(header, jpeg);
  }

  /** @param {FrameHeader} header @param {(ImageBitmap|VideoFrame)[]} pictures are taken over */
  async send(header, pictures) {
    if (this.client?.takesBitmaps) {
      // Taken before the link changed to WebRTC, which cannot say what of the video a picture shows.
      if (!isWhole(header)) for (const picture of pictures) picture.close();
      else this.tell(await this.client.sendBitmap(header, await toBitmap(pictures[0], header)));
      return;
    }
    const encoded = await this.encoder.encode(pictures, header);
    if (!encoded) return;
    this.tell("fault" in encoded ? encoded.fault : "picture");
    if ("jpeg" in encoded) this.client?.sendFrame(header, encoded.jpeg);
  }

  /** @param {import("../link.js").Finding|null} finding */
  tell(finding) {
    if (!finding || this.ended) return;
    if (finding !== this.finding) this.other.postMessage({ type: "finding", finding });
    this.finding = finding;
  }

  end() {
    this.ended = true;
    this.client?.close();
    this.encoder.close();
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
