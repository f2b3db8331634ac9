// One entry of the list as a report that can be passed on: text and the picture.

import { placeOf, seenOf, titleOf, verdictOf, versionsOf } from "./words.js";
import { say } from "../shared/words.js";

/** @typedef {import("./store.js").Entry} Entry */

/** @param {Entry} entry @returns {string[]} its lines, the first of which is the heading */
export function linesOf(entry) {
  return [
    say("report_title"),
    verdictOf(entry),
    say("report_page", [titleOf(entry), entry.site].filter(Boolean).join(", ")),
    placeOf(entry),
    seenOf(entry),
    versionsOf(entry),
    ...(entry.note ? [say("wrong_said_note", entry.note)] : []),
    say("scope"),
  ];
}

/** @param {Entry} entry @returns {Promise<string>} a page of its own */
async function pageOf(entry) {
  const [heading, ...lines] = linesOf(entry);
  const page = document.implementation.createHTMLDocument(heading);
  const charset = page.createElement("meta");
  charset.setAttribute("charset", "utf-8");
  page.head.prepend(charset);
  const title = page.createElement("h1");
  title.textContent = heading;
  page.body.append(title);
  if (entry.still) {
    const picture = page.createElement("img");
    picture.alt = say("traces_still");
    picture.src = await asData(entry.still);
    page.body.append(picture);
  }
  for (const line of lines) {
    const paragraph = page.createElement("p");
    paragraph.textContent = line;
    page.body.append(paragraph);
  }
  return `<!doctype html>\n${page.documentElement.outerHTML}`;
}

/** @param {Blob} blob @returns {Promise<string>} a data: address */
export function asData(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

/** @param {Blob} still @returns {Promise<Blob>} as a PNG, the one kind that every clipboard takes */
async function asPng(still) {
  const bitmap = await createImageBitmap(still);
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
  bitmap.close();
  return canvas.convertToBlob({ type: "image/png" });
}

/**
 * To the clipboard; where the browser does not allow that, into a file.
 * @param {Entry} entry
 * @returns {Promise<"copied"|"copied_text"|"saved">}
 */
export async function copyReport(entry) {
  const text = new Blob([linesOf(entry).join("\n")], { type: "text/plain" });
  try {
    /** @type {Record<string, Blob>} */
    const parts = { "text/plain": text };
    if (entry.still) parts["image/png"] = await asPng(entry.still);
    await navigator.clipboard.write([new ClipboardItem(parts)]);
    return entry.still ? "copied" : "copied_text";
  } catch {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([await pageOf(entry)], { type: "text/html" }));
    link.download = `fakelight-${new Date(entry.seenAt).toISOString().slice(0, 16).replaceAll(":", "-")}.html`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    return "saved";
  }
}
