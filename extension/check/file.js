// From what was clicked on to the file that is sent: the file itself where it can be had, else the
// picture that is shown of it.

/** @typedef {import("../shared/check_job.js").CheckFile} CheckFile */
/** @typedef {import("../shared/check_job.js").CheckJob} CheckJob */

const ENDINGS = new Map([
  ["image/jpeg", "jpg"],
  ["image/png", "png"],
  ["image/webp", "webp"],
  ["image/gif", "gif"],
  ["image/avif", "avif"],
  ["image/heic", "heic"],
  ["video/mp4", "mp4"],
  ["video/webm", "webm"],
  ["video/quicktime", "mov"],
]);
const LONGEST_NAME = 80;

/**
 * @param {CheckJob} job
 * @param {(megabytes: number, of: number|null) => void} progress of a file that is fetched
 * @returns {Promise<CheckFile|null>} null where there is no way to the picture
 */
export async function fileOf({ kind, address, data, whole, shot }, progress) {
  if (whole && data) return made(blobOf(data), address, "whole");
  // A playlist is a list of addresses, not a video.
  if (/^https?:/.test(address) && !/\.(m3u8|mpd)$/i.test(new URL(address).pathname)) {
    const blob = await fetched(address, kind, progress);
    if (blob) return made(blob, address, "whole");
  }
  if (data) return made(blobOf(data), address, "still");
  return shot ? made(blobOf(shot), address, "screen") : null;
}

/** @param {Blob} blob @param {string} address @param {CheckFile["part"]} part @returns {CheckFile} */
function made(blob, address, part) {
  return { blob, name: nameOf(address, blob.type, part), part };
}

/**
 * @param {string} address
 * @param {string} type of the bytes
 * @param {CheckFile["part"]} part
 * @returns {string} a name that says what it is
 */
export function nameOf(address, type, part) {
  const path = /^https?:/.test(address) ? new URL(address).pathname : "";
  let last = path.split("/").pop() ?? "";
  try {
    last = decodeURIComponent(last);
  } catch {
    // It is no UTF-8: as it came.
  }
  last = last.replace(/[\p{Cc}\\/:*?"<>|]/gu, "_").slice(-LONGEST_NAME);
  const ending = ENDINGS.get(type.split(";")[0]) ?? "";
  const stem = last.replace(/\.\w{1,5}$/, "") || (part === "whole" ? "picture" : "video");
  if (part !== "whole") return `${stem} (${part === "still" ? "one picture" : "from the screen"}).png`;
  return ending ? `${stem}.${ending}` : last || stem;
}

/** @param {string} data URL in base64 */
export function blobOf(data) {
  const [head, body] = data.split(",", 2);
  const type = head.slice("data:".length).split(";")[0];
  return new Blob([Uint8Array.from(atob(body), (letter) => letter.charCodeAt(0))], { type });
}

/**
 * @param {string} address
 * @param {CheckJob["kind"]} kind
 * @param {(megabytes: number, of: number|null) => void} progress
 * @returns {Promise<Blob|null>} null where the site does not give it to this extension
 */
async function fetched(address, kind, progress) {
  try {
    const answer = await fetch(address, { credentials: "omit" });
    const type = answer.headers.get("content-type") ?? "";
    if (!answer.ok || !answer.body || /^text\/|^application\/(json|xml)/.test(type)) return null;
    if (kind === "image" && type.startsWith("video/")) return null;
    const length = Number(answer.headers.get("content-length"));
    /** @type {BlobPart[]} */
    const parts = [];
    let size = 0;
    const reader = answer.body.getReader();
    for (let step = await reader.read(); !step.done; step = await reader.read()) {
      parts.push(step.value);
      size += step.value.length;
      progress(size / 1e6, length > 0 ? length / 1e6 : null);
    }
    return size > 0 ? new Blob(parts, { type }) : null;
  } catch {
    return null;
  }
}
