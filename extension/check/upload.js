// A file that somebody has chosen on a page, from the tab that has it.

import { blobOf } from "./file.js";
import { UPLOAD_PORT } from "../shared/check_job.js";

/** @typedef {import("../shared/check_job.js").CheckFile} CheckFile */
/** @typedef {import("../shared/check_job.js").Upload} Upload */

/**
 * @param {Upload} upload
 * @param {(megabytes: number, of: number|null) => void} progress
 * @returns {Promise<CheckFile|null>} null where the tab has gone before it had given all
 */
export function uploaded({ id, tabId, frameId, name, type, size }, progress) {
  return new Promise((resolve) => {
    const port = chrome.tabs.connect(tabId, { frameId, name: UPLOAD_PORT + id });
    /** @type {Blob[]} */
    const pieces = [];
    let from = 0;
    port.onMessage.addListener(({ data }) => {
      if (data === "") {
        port.disconnect();
        resolve({ blob: new Blob(pieces, { type }), name, part: "whole" });
        return;
      }
      const piece = blobOf(`data:;base64,${data}`);
      pieces.push(piece);
      from += piece.size;
      progress(from / 1e6, size / 1e6);
      port.postMessage({ from });
    });
    port.onDisconnect.addListener(() => resolve(null));
    port.postMessage({ from });
  });
}
