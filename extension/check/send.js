// Hands a file to the server's scans, and opens the server's page on it.

import { bearer } from "../shared/request.js";

/** @typedef {import("../shared/check_job.js").CheckFile} CheckFile */

/** A failure with the key of a text in _locales, and what goes into it. */
export class CheckError extends Error {
  /** @param {string} key @param {...string} parts */
  constructor(key, ...parts) {
    super(key);
    this.key = key;
    this.parts = parts;
  }
}

/**
 * @param {string} server
 * @param {string} token
 * @param {CheckFile} file
 * @returns {Promise<string>} the scan's id
 * @throws {CheckError}
 */
export async function send(server, token, { blob, name }) {
  const form = new FormData();
  form.append("file", blob, name);
  const answer = await post(server, token, "/v1/scans", form);
  if (answer.status === 401) throw new CheckError("server_rejected");
  if (answer.status !== 202) throw new CheckError("check_refused", await reason(answer));
  const { id } = await answer.json();
  if (typeof id !== "string") throw new CheckError("server_strange", server);
  return id;
}

/**
 * The page has a door of its own, which the extension's token does not open: a ticket does, once.
 * @param {string} server
 * @param {string} token
 * @param {string} id of the scan
 * @returns {Promise<string>} address of the server's page on that scan
 */
export async function scanPage(server, token, id) {
  const fields = new URLSearchParams({ scan: id });
  const answer = await post(server, token, "/v1/session/tickets", null);
  const { ticket } = answer.status === 201 ? await answer.json() : {};
  if (typeof ticket === "string") fields.set("ticket", ticket);
  return `${server}/scan#${fields}`;
}

/** @param {string} server @param {string} token @param {string} path @param {FormData|null} body */
async function post(server, token, path, body) {
  try {
    return await fetch(server + path, {
      method: "POST",
      headers: bearer(token),
      body,
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
    });
  } catch {
    throw new CheckError("server_unreachable", server);
  }
}

/** @param {Response} answer the server's own words, from its problem document */
export async function reason(answer) {
  const problem = await answer.json().catch(() => ({}));
  return String(problem.detail ?? problem.title ?? `HTTP ${answer.status}`);
}
