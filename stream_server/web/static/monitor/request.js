// One request to the server, and its refusals.

import { _ } from "../words.js";

/** The server's refusal in its own words, or that it does not answer; `status` is then 0. */
export class Refused extends Error {
  /** @param {number} status @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/**
 * @param {string} method
 * @param {string} path
 * @param {object} [body] sent as JSON
 * @returns {Promise<any>} the answer's JSON, null where there is none. Throws Refused.
 */
export async function ask(method, path, body) {
  /** @type {RequestInit} */
  const options = { method, cache: "no-store" };
  if (body !== undefined) {
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(body);
  }
  const answer = await fetch(path, options).catch(() => {
    throw new Refused(0, _("The server does not answer."));
  });
  const said = await answer.json().catch(() => null);
  if (answer.ok) return said;
  throw new Refused(answer.status, String(said?.detail ?? said?.title ?? _("The server answered {status}.", { status: answer.status })));
}
