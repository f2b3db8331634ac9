// Pairing with a server. Runs in the extension's own pages.

import { bearer, request } from "./request.js";
import { load, save } from "./settings.js";

/** A failure with the key of a text in _locales, and what goes into it. */
export class PairingError extends Error {
  /** @param {string} key @param {...string} parts */
  constructor(key, ...parts) {
    super(key);
    this.key = key;
    this.parts = parts;
  }
}

/**
 * @param {string} address
 * @param {RequestInit} options
 * @returns {Promise<Response>}
 */
async function ask(address, options) {
  try {
    return await request(address, options);
  } catch {
    throw new PairingError("pair_unreachable", new URL(address).origin);
  }
}

/** @param {string} address @param {unknown} body */
function post(address, body) {
  return ask(address, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
}

/**
 * Have the server show six digits.
 * @param {string} server
 * @returns {Promise<{id: string, expires_s: number}>}
 */
export async function startPairing(server) {
  const answer = await post(`${server}/v1/pairings`, {});
  if (answer.status === 429) throw new PairingError("pair_too_many");
  if (answer.status !== 201) throw new PairingError("pair_refused", await reason(answer));
  const { id, expires_s } = await answer.json();
  if (typeof id !== "string" || typeof expires_s !== "number") {
    throw new PairingError("pair_refused", "");
  }
  return { id, expires_s };
}

/**
 * @param {string} server
 * @param {string} id
 * @param {string} code six digits
 * @throws {PairingError} wrong digits, used up, out of reach: each with its own text
 */
export async function finishPairing(server, id, code) {
  const answer = await post(`${server}/v1/pairings/${encodeURIComponent(id)}`, { code });
  if (answer.status === 403) {
    const { tries_left } = await answer.json().catch(() => ({}));
    if (typeof tries_left === "number") throw new PairingError("pair_wrong", String(tries_left));
    throw new PairingError("pair_expired");
  }
  if (answer.status === 410 || answer.status === 404) throw new PairingError("pair_expired");
  if (answer.status === 429) throw new PairingError("pair_too_many");
  if (answer.status !== 200) throw new PairingError("pair_refused", await reason(answer));
  const { token } = await answer.json();
  if (typeof token !== "string" || !token) throw new PairingError("pair_refused", "");
  await save({ server, token });
}

/** Between two questions whether the server's own page has let this browser in, milliseconds. */
const ASK_EVERY_MS = 1000;

/**
 * Wait until this browser is let in by a click on the server's own page, which stands for the digits.
 * @param {string} server
 * @param {string} id
 * @param {AbortSignal} signal
 * @param {(page: boolean) => void} [tell] whether that page is open somewhere
 * @returns {Promise<boolean>} false where the waiting was given up
 * @throws {PairingError} the pairing is used up or out of reach
 */
export async function waitToBeLetIn(server, id, signal, tell = () => {}) {
  while (!signal.aborted) {
    const answer = await post(`${server}/v1/pairings/${encodeURIComponent(id)}`, { code: null });
    if (signal.aborted) break;
    if (answer.status === 200) {
      const { token } = await answer.json();
      if (typeof token !== "string" || !token) throw new PairingError("pair_refused", "");
      await save({ server, token });
      return true;
    }
    if (answer.status === 202) tell((await answer.json()).page === true);
    else if (answer.status === 410 || answer.status === 404) throw new PairingError("pair_expired");
    // A server of before knows digits alone.
    else if (answer.status === 400) await new Promise((resolve) => signal.addEventListener("abort", resolve));
    else throw new PairingError("pair_refused", await reason(answer));
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
  }
  return false;
}

/** Forget the token here and, where it can be reached, at the server. */
export async function unpair() {
  const { server, token } = await load();
  await save({ token: "" });
  if (!token) return;
  try {
    await request(`${server}/v1/pairings`, { method: "DELETE", headers: bearer(token) });
  } catch {
    // The server is not there; this browser has forgotten the token all the same.
  }
}

/** @param {Response} answer the server's own words, from its problem document */
async function reason(answer) {
  try {
    const problem = await answer.json();
    return String(problem.detail ?? problem.title ?? "");
  } catch {
    return `HTTP ${answer.status}`;
  }
}
