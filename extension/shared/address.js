// The server's address: what a person may type, and which addresses are this very machine.

/**
 * The only servers that may be reached without encryption. IPv6's loopback is not among them: a
 * content security policy has no way to write `[::1]`, so the browser would not let it through.
 */
export const LOOPBACK = Object.freeze(["127.0.0.1", "localhost"]);

/** Its message is the key of a text in _locales. */
export class AddressError extends Error {}

/** @param {string} server address such as `https://example.org` */
export function isLoopback(server) {
  return LOOPBACK.includes(new URL(server).hostname);
}

/**
 * The address as it is stored: scheme, host and port, and the path that a proxy serves it under.
 * The address of one of its pages will do.
 * @param {string} text
 * @returns {string}
 * @throws {AddressError}
 */
export function normaliseServer(text) {
  let url;
  try {
    const trimmed = text.trim();
    url = new URL(/^[a-z]+:\/\//i.test(trimmed) ? trimmed : `http://${trimmed}`);
  } catch {
    throw new AddressError("server_not_an_address");
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new AddressError("server_not_an_address");
  }
  // Spaces in a name come out escaped rather than refused.
  if (url.username || url.password || url.hostname.includes("%")) {
    throw new AddressError("server_not_an_address");
  }
  if (url.protocol === "http:" && !isLoopback(url.origin)) {
    throw new AddressError("server_needs_https");
  }
  return url.origin + url.pathname.replace(/\/(scan|monitor)?\/*$/, "").replace(/\/+$/, "");
}
