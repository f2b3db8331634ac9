// The link from the server's own page: pictures are encoded and sent in one place.

import { drawable } from "../capture/planes.js";
import { OffloadedEncoder } from "../capture/offload.js";
import { WebSocketClient } from "./websocket.js";

/** @typedef {import("./link.js").Link} Link */
/** @typedef {import("./link.js").LinkEvents} LinkEvents */

/**
 * @param {import("./link.js").Target} target
 * @param {LinkEvents} events
 * @returns {Link}
 */
export function openDirect(target, events) {
  const client = new WebSocketClient(target, events);
  const encoder = new OffloadedEncoder();
  return {
    sendFrame: async (header, taken) => {
      const pictures = taken.map(drawable);
      let encoded;
      try {
        encoded = await encoder.encode(pictures, header);
      } catch (error) {
        if (!(error instanceof DOMException)) throw error;
        events.onFinding("unreadable");
        return;
      }
      if (encoded && "fault" in encoded) events.onFinding(encoded.fault);
      else if (encoded) {
        events.onFinding("picture");
        client.sendFrame(header, encoded.jpeg);
      }
    },
    sendControl: (type) => client.sendControl(type),
    explain: (track) => client.explain(track),
    close: () => {
      encoder.close();
      client.close();
    },
  };
}
