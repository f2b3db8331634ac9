// Single requests to the server, beside the stream.

export const TIMEOUT_MS = 5000;

/**
 * @param {string} address
 * @param {RequestInit} [options]
 * @returns {Promise<Response>}
 */
export function request(address, options) {
  return fetch(address, {
    ...options,
    cache: "no-store",
    credentials: "omit",
    redirect: "error",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
}

/** @param {string} token @returns {Record<string, string>} the header that lets in */
export function bearer(token) {
  return { Authorization: `Bearer ${token}` };
}
