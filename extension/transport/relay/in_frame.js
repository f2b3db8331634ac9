// The hidden extension frame that owns the sockets. It runs in the extension's own origin, so the
// token never enters the page's process, and the browser's guard on local addresses lets it
// through. A page that embeds this frame by itself has no nonce and gets nothing.

import { MOST_VIDEOS } from "../../shared/limits.js";
import { load } from "../../shared/settings.js";
import { drawable } from "../../capture/planes.js";
import { VideoLink } from "./video_link.js";

/** @typedef {import("../../protocol/messages.js").Source} Source */

/** @type {Set<PortLink>} */
const links = new Set();

class PortLink extends VideoLink {
  /** @param {MessagePort} port @param {Source["kind"]} kind */
  constructor(port, kind) {
    super(port, kind, load);
    this.port = port;
    port.onmessage = (event) => this.receive(event.data);
    // Newer browsers tell when the other end is gone; older ones rely on "bye" and on unload.
    port.addEventListener("close", () => this.end());
  }

  /** @override @param {any} data */
  receive(data) {
    if (data?.type === "jpeg" && data.jpeg instanceof ArrayBuffer) {
      this.sendJpeg(data.header, data.jpeg);
    } else if (data?.type === "pictures" && arePictures(data.pictures)) {
      void this.send(data.header, data.pictures.map(drawable));
    } else super.receive(data);
  }

  /** @override */
  end() {
    links.delete(this);
    super.end();
    this.port.close();
  }
}

/** @param {unknown} list @returns {list is import("../../capture/planes.js").Picture[]} */
function arePictures(list) {
  if (!Array.isArray(list) || list.length === 0) return false;
  return list.every((one) => one instanceof ImageBitmap || one?.data instanceof ArrayBuffer);
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
  if (area !== "local" || !(changes.server || changes.token || changes.transport || changes.cutOuts)) return;
  for (const link of links) void link.start();
});

addEventListener("pagehide", () => {
  for (const link of [...links]) link.end();
});
