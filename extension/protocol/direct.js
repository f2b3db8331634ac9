// The way to the server from the server's own page: reading and sending in one place.

import { frameFrom } from "../capture/planes.js";
import { WorkerReader } from "../capture/worker_reader.js";
import { StreamClient } from "./client.js";

/** @typedef {import("./client.js").Link} Link */
/** @typedef {import("./client.js").LinkEvents} LinkEvents */

/**
 * @param {{server: string, token: string, source: import("./messages.js").Source}} target
 * @param {LinkEvents} events
 * @returns {Link}
 */
export function openDirect(target, events) {
  const client = new StreamClient(target, events);
  const reader = new WorkerReader();
  return {
    sendFrame: async (header, taken) => {
      const picture = taken instanceof ImageBitmap ? taken : frameFrom(taken);
      let reading;
      try {
        reading = await reader.read(picture, header);
      } catch (error) {
        if (!(error instanceof DOMException)) throw error;
        events.onFinding("unreadable");
        return;
      }
      if (reading && "fault" in reading) events.onFinding(reading.fault);
      else if (reading) {
        events.onFinding("picture");
        client.sendFrame(header, reading.picture);
      }
    },
    sendControl: (type) => client.sendControl(type),
    explain: (track) => client.explain(track),
    close: () => {
      reader.close();
      client.close();
    },
  };
}
