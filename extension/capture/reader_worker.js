// Reads pictures in a worker: there they are encoded at once, while a document encodes only when
// its browser finds it idle, which for a hidden frame may take seconds.

import { Reader } from "./reader.js";

const reader = new Reader();

/** @param {MessageEvent<{id: number, bitmap: ImageBitmap}>} event */
async function answer({ data: { id, bitmap } }) {
  const reading = await reader.read(bitmap);
  const transfer = reading && "picture" in reading ? [reading.picture] : [];
  postMessage({ id, reading }, { transfer });
}

addEventListener("message", (event) => void answer(event));
