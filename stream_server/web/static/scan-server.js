// What the page /scan asks the server.

import { _ } from "./words.js";

/**
 * @typedef {object} Scan as GET /v1/scans gives it
 * @property {string} id
 * @property {string} file
 * @property {"queued"|"running"|"done"|"failed"|"cancelled"} status
 * @property {number} progress from 0 to 1
 * @property {number|null} left_s
 * @property {number|null} ahead
 * @property {number|null} expires in Unix seconds
 * @property {import("../extension/protocol/messages.js").Verdict|null} verdict
 * @property {number|null} probability
 * @property {string|null} detail
 */

/** @returns {Promise<Scan[]>} newest first */
export async function history() {
  const answer = await fetch("v1/scans", { cache: "no-store" });
  return answer.ok ? answer.json() : [];
}

/**
 * Cancel a scan, or forget a finished one.
 * @param {string} id
 * @returns {Promise<string>} what went wrong, or nothing
 */
export async function forget(id) {
  try {
    const answer = await fetch(`v1/scans/${id}`, { method: "DELETE" });
    return answer.ok || answer.status === 404 ? "" : _("The server answered {status}.", { status: answer.status });
  } catch {
    return _("The server does not answer.");
  }
}

/**
 * @param {string} id
 * @param {(scan: Scan|null) => void} tell
 */
export function follow(id, tell) {
  const events = new EventSource(`v1/scans/${id}/events`);
  events.addEventListener("progress", (event) => tell(JSON.parse(event.data)));
  events.addEventListener("done", (event) => {
    events.close();
    tell(JSON.parse(event.data));
  });
}

/**
 * fetch() does not tell how far an upload is, so this is an XMLHttpRequest.
 * @param {File} file
 * @param {string} window
 * @param {boolean} keep
 * @param {(share: number) => void} progress
 * @returns {{done: Promise<Scan|string>, abort: () => void}} the scan, or what went wrong: nothing where it was cancelled
 */
export function upload(file, window, keep, progress) {
  const form = new FormData();
  form.append("window", window);
  form.append("keep", String(keep));
  form.append("file", file, file.name);
  const request = new XMLHttpRequest();
  /** @type {Promise<Scan|string>} */
  const done = new Promise((resolve) => {
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) progress(event.loaded / event.total);
    });
    request.addEventListener("load", () => {
      const body = parsed(request.responseText);
      if (request.status === 202) resolve(/** @type {Scan} */ (body));
      else resolve(String(body?.detail ?? _("The server answered {status}.", { status: request.status })));
    });
    request.addEventListener("error", () => resolve(_("The upload broke off: the server does not answer, or refused it.")));
    request.addEventListener("abort", () => resolve(""));
  });
  request.open("POST", "v1/scans");
  request.send(form);
  return { done, abort: () => request.abort() };
}

/** @param {string} text @returns {any} */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
