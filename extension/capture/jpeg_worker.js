// Encodes pictures in a worker: there it happens at once, while a document encodes only when its
// browser finds it idle, which for a hidden frame may take seconds.

import { JpegEncoder } from "./jpeg.js";

let encoder = new JpegEncoder();

/** @typedef {import("./jpeg.js").Size} Size */

/** @param {MessageEvent<{id: number, picture: ImageBitmap|VideoFrame, size: Size}>} event */
async function answer({ data: { id, picture, size } }) {
  const encoded = await encoder.encode(picture, size);
  const transfer = encoded && "jpeg" in encoded ? [encoded.jpeg] : [];
  postMessage({ id, encoded }, { transfer });
}

addEventListener("message", (event) => {
  if (event.data === "another video") encoder = new JpegEncoder();
  else void answer(event);
});
