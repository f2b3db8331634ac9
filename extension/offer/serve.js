// The file that is to be checked, on its way to the extension's page that sends it: a page may not talk
// to the server, and what extensions tell one another is text.

import { UPLOAD_PORT } from "../shared/check_job.js";

/** Bytes of one piece. */
const PIECE = 3 * 1024 * 1024;

/** @param {Blob} piece @returns {Promise<string>} in base64 */
function asText(piece) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).split(",")[1] ?? "");
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(piece);
  });
}

/**
 * Give the file to the one who knows its id, piece by piece as each is asked for.
 * @param {File} file
 * @param {string} id
 * @returns {Promise<boolean>} whether all of it was taken
 */
export function serve(file, id) {
  return new Promise((resolve) => {
    /** @param {chrome.runtime.Port} port */
    const connected = (port) => {
      if (port.name !== UPLOAD_PORT + id) return;
      chrome.runtime.onConnect.removeListener(connected);
      port.onMessage.addListener(async ({ from }) => {
        try {
          const data = from < file.size ? await asText(file.slice(from, from + PIECE)) : "";
          port.postMessage({ data });
          if (data === "") resolve(true);
        } catch {
          port.disconnect(); // the file has changed or gone since
          resolve(false);
        }
      });
      port.onDisconnect.addListener(() => resolve(false));
    };
    chrome.runtime.onConnect.addListener(connected);
  });
}
