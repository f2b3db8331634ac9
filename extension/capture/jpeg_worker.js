// Encodes pictures in a worker: there it happens at once, while a document encodes only when its
// browser finds it idle, which for a hidden frame may take seconds.

import { JpegEncoder } from "./jpeg.js";

let encoder = new JpegEncoder();

/** @typedef {import("./fovea.js").Shown} Shown */

/** @param {MessageEvent<{id: number, pictures: (ImageBitmap|VideoFrame)[], shown: Shown}>} event */
async function answer({ data: { id, pictures, shown } }) {
  const encoded = await encoder.encode(pictures, shown);
  const transfer = encoded && "jpeg" in encoded ? [encoded.jpeg] : [];
  postMessage({ id, encoded }, { transfer });
}

addEventListener("message", (event) => {
  if (event.data === "another video") encoder = new JpegEncoder();
  else void answer(event);
});
