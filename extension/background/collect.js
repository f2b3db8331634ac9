// Runs in the page on which a person right-clicked, so it can refer to nothing outside itself.

/**
 * @typedef {object} Collected
 * @property {string|null} data as a data URL: the bytes of the file, or a video's present picture
 * @property {boolean} whole whether they are the file's
 * @property {{x: number, y: number, width: number, height: number}|null} rect what is seen of it in
 *     the tab, pixels of the screen; null where that cannot be told
 * @property {string} source address of the file that is shown, of several that a page names
 */

/**
 * @param {string} address as the browser's menu gave it; empty for a stream
 * @param {"image"|"video"} kind
 * @param {number} mostBytes a larger file is left where it is
 * @returns {Promise<Collected>}
 */
export async function collect(address, kind, mostBytes) {
  /** @type {Element[]} */
  const elements = [];
  /** @param {Document|ShadowRoot} root */
  const gather = (root) => {
    for (const element of root.querySelectorAll("*")) {
      if (kind === "video" ? element.localName === "video" : /^(img|input|image)$/.test(element.localName)) {
        elements.push(element);
      }
      if (element.shadowRoot) gather(element.shadowRoot);
    }
  };
  gather(document);
  /** @param {any} element */
  const sourceOf = (element) => String(element.currentSrc || element.src || element.href?.baseVal || "");
  /** @param {Element} element */
  const seen = (element) => {
    const { left, top, right, bottom } = element.getBoundingClientRect();
    const [x, y] = [Math.max(0, left), Math.max(0, top)];
    return { x, y, width: Math.min(innerWidth, right) - x, height: Math.min(innerHeight, bottom) - y };
  };
  /** @param {Element} element */
  const area = (element) => {
    const { width, height } = seen(element);
    return width > 0 && height > 0 ? width * height : 0;
  };
  const named = elements.filter((element) => sourceOf(element) === address);
  const [chosen] = (named.length > 0 || kind === "image" ? named : elements).sort(
    (a, b) => Number(b.matches(":hover")) - Number(a.matches(":hover")) || area(b) - area(a),
  );

  /** @param {Blob} blob @returns {Promise<string>} */
  const asData = (blob) =>
    new Promise((resolve, reject) => {
      const reader = new FileReader();
      reader.onload = () => resolve(String(reader.result));
      reader.onerror = () => reject(reader.error);
      reader.readAsDataURL(blob);
    });

  // As the page itself may: of its own site, or of one that allows it.
  async function bytes() {
    if (!/^(https?|blob|data):/.test(address) || (kind === "video" && !/^https?:/.test(address))) return null;
    const leave = new AbortController();
    const answer = await fetch(address, { signal: leave.signal });
    const type = answer.headers.get("content-type") ?? "";
    const length = Number(answer.headers.get("content-length"));
    if (!answer.ok || length > mostBytes || !/^(image|video)\//.test(type)) {
      leave.abort();
      return null;
    }
    const blob = await answer.blob();
    return blob.size > 0 && blob.size <= mostBytes ? asData(blob) : null;
  }

  async function drawn() {
    if (!(chosen instanceof HTMLVideoElement) || !chosen.videoWidth) return null;
    const canvas = new OffscreenCanvas(chosen.videoWidth, chosen.videoHeight);
    canvas.getContext("2d", { alpha: false })?.drawImage(chosen, 0, 0);
    return asData(await canvas.convertToBlob({ type: "image/png" })); // throws for another site's video
  }

  const file = await bytes().catch(() => null);
  const data = file ?? (await drawn().catch(() => null));
  let rect = null;
  if (chosen && area(chosen) > 0) {
    const found = seen(chosen);
    try {
      for (let view = window; view !== view.parent; view = /** @type {typeof view} */ (view.parent)) {
        const frame = view.frameElement?.getBoundingClientRect(); // null for another site's frame
        if (!frame) throw new DOMException("out of reach", "SecurityError");
        found.x += frame.x;
        found.y += frame.y;
      }
      const ratio = devicePixelRatio;
      rect = { x: found.x * ratio, y: found.y * ratio, width: found.width * ratio, height: found.height * ratio };
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
    }
  }
  return { data, whole: file !== null, rect, source: chosen ? sourceOf(chosen) : address };
}
