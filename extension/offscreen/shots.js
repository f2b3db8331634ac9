// A tab's picture as single pictures, where the browser gives no stream of it: at most two a second,
// and only while the tab is the one in front.

/** @typedef {import("./stream.js").Shot} Shot */

export class TabShots {
  /** @param {() => Promise<string>} take a picture as a data: address */
  constructor(take) {
    this.take = take;
    this.closed = false;
    this.busy = false;
  }

  /** @returns {Promise<Shot|null>} null where the browser gives none, or not so soon */
  async after() {
    if (this.closed || this.busy) return null;
    this.busy = true;
    try {
      const address = await this.take();
      const shot = await createImageBitmap(blobOf(address));
      const at = performance.timeOrigin + performance.now();
      return { shot, size: { width: shot.width, height: shot.height }, at };
    } catch {
      return null;
    } finally {
      this.busy = false;
    }
  }

  close() {
    this.closed = true;
  }
}

/** @param {string} address data:TYPE;base64,BYTES: the extension's own rules forbid to fetch it */
function blobOf(address) {
  const [head, bytes] = address.split(",");
  const type = head.slice("data:".length).split(";")[0];
  return new Blob([Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0))], { type });
}
