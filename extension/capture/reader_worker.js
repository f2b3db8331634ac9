// Reads pictures in a worker: there they are encoded at once, while a document encodes only when
// its browser finds it idle, which for a hidden frame may take seconds.

import { Reader } from "./reader.js";

const reader = new Reader();

/** @typedef {import("./reader.js").Size} Size */

/** @param {MessageEvent<{id: number, picture: ImageBitmap|VideoFrame, size: Size}>} event */
async function answer({ data: { id, picture, size } }) {
  const reading = await reader.read(picture, size);
  const transfer = reading && "picture" in reading ? [reading.picture] : [];
  postMessage({ id, reading }, { transfer });
}

addEventListener("message", (event) => void answer(event));
