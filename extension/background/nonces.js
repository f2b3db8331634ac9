// A page can embed transport/relay/frame.html too. So the relay serves only a port that comes with a
// nonce which this service worker gave to a content script of the same tab a moment ago, and only once.

const LIFETIME_MS = 30_000;
const MOST_OPEN = 200;

/** @typedef {{tabId: number, frameId: number, expires: number}} Entry */

export class Nonces {
  /** @param {() => number} now milliseconds */
  constructor(now = Date.now) {
    this.now = now;
    /** @type {Map<string, Entry>} */
    this.open = new Map();
  }

  /**
   * @param {number} tabId
   * @param {number} frameId
   * @returns {string}
   */
  issue(tabId, frameId) {
    for (const [nonce, entry] of this.open) {
      if (entry.expires <= this.now() || this.open.size >= MOST_OPEN) this.open.delete(nonce);
    }
    const nonce = crypto.randomUUID();
    this.open.set(nonce, { tabId, frameId, expires: this.now() + LIFETIME_MS });
    return nonce;
  }

  /**
   * @param {unknown} nonce
   * @param {number} tabId tab of the relay that asks
   * @returns {boolean}
   */
  redeem(nonce, tabId) {
    if (typeof nonce !== "string") return false;
    const entry = this.open.get(nonce);
    this.open.delete(nonce);
    return entry !== undefined && entry.tabId === tabId && entry.expires > this.now();
  }
}
