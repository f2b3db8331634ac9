// Which video an element shows, so that its memory is found again and never taken for another's.
// Where that is not certain the answer is "another": a memory that is lost costs a second look, one
// that is mistaken puts a warning on the wrong video.

import { trackNameOf } from "../capture/track.js";

/**
 * @typedef {object} Likeness
 * @property {"file"|"blob"|"stream"} kind file: has an address of its own; blob: the page feeds it
 *     (Media Source Extensions); stream: a call or a camera
 * @property {string} exact the very address, or the track of a stream
 * @property {string} address of the video without quality and tokens; of the page for a blob
 * @property {number} duration seconds; Infinity for what has no end yet
 * @property {number} aspect width by height of the picture
 * @property {string} mark for a blob: what on the page tells it from its neighbours
 */

/** Of an address: who may see it until when, and how good a picture. None says which video it is. */
const FLEETING =
  /^(token|access_token|auth|authorization|sig|signature|sign|hmac|exp|expires?|expiry|expiration|nonce|policy|key-pair-id|x-(amz|goog|oss)-.+|hdn(ea|ts|tl)|__gda__|quality|res|resolution|bitrate|br|itag|rn|rbuf|cache|cb)$/i;
/** Of a page's address: where one came from, and where in the video one begins. */
const PASSING = /^(utm_.+|fbclid|gclid|igsh|si|ref|feature|pp|t|start|time_continue)$/i;
/** Of renditions, pixels: other numbers before a p are names. */
const HEIGHTS = [
  144, 160, 180, 216, 234, 240, 270, 288, 320, 360, 396, 400, 404, 406, 432, 480, 486, 504, 512, 540, 544, 576, 600, 640,
  648, 720, 768, 800, 816, 900, 960, 1024, 1072, 1080, 1152, 1200, 1280, 1296, 1440, 1600, 1800, 2160, 2880, 4320,
];
/** Of a path: 720p60, 1280x720, _hd, -800k. */
const QUALITY = [
  new RegExp(`(?<![a-z0-9])(${HEIGHTS.join("|")})p(\\d{2,3})?(?![a-z0-9])`, "gi"),
  /(?<![a-z0-9])\d{3,4}x\d{3,4}(?![a-z0-9])/gi,
  /(?<=[_\-./])(hd|sd|fhd|uhd|4k|hq|lq|low|medium|high|mobile)(?=[_\-./])/gi,
  /(?<=[_\-./])\d{2,5}k(bps)?(?=[_\-./])/gi,
];
const SUFFIX = /\.(mp4|m4v|mov|webm|ogv|mkv|m3u8|mpd)$/i;

/** Renditions of one video end this far apart at most, seconds. */
const FILE_DURATION_S = 0.5;
/** A blob's duration comes from the page's own list and is the same each time. */
const BLOB_DURATION_S = 0.05;
const ASPECT_SHARE = 0.03;
/** How far up from a video its own link is looked for, elements. */
const MOST_PARENTS = 8;

/**
 * @param {HTMLVideoElement} video with its metadata
 * @returns {Likeness|null} null while it shows nothing that could be told
 */
export function likenessOf(video) {
  const { currentSrc, duration, videoWidth, videoHeight } = video;
  const aspect = videoHeight > 0 ? videoWidth / videoHeight : 0;
  const common = { duration, aspect, address: "", mark: "" };
  if (video.srcObject) {
    const track = trackNameOf(video);
    return track === null ? null : { ...common, kind: "stream", exact: track };
  }
  if (!currentSrc || Number.isNaN(duration)) return null;
  if (!currentSrc.startsWith("blob:")) {
    return { ...common, kind: "file", exact: currentSrc, address: withoutQuality(currentSrc) };
  }
  return {
    ...common,
    kind: "blob",
    exact: currentSrc,
    address: strip(location.href, PASSING),
    mark: markOf(video),
  };
}

/**
 * @param {Likeness} a
 * @param {Likeness} b
 * @returns {boolean} whether both are certainly the same video
 */
export function isSame(a, b) {
  if (a.kind !== b.kind) return false;
  if (a.kind === "stream") return a.exact === b.exact;
  const far = a.kind === "file" ? FILE_DURATION_S : BLOB_DURATION_S;
  const together = a.duration === b.duration || Math.abs(a.duration - b.duration) <= far;
  if (!together || Math.abs(a.aspect - b.aspect) > ASPECT_SHARE * a.aspect) return false;
  if (a.exact === b.exact) return true;
  if (a.address !== b.address || a.mark !== b.mark) return false;
  // Two blobs of one length on a page that tells nothing of either may be two videos.
  return a.kind === "file" || (Number.isFinite(a.duration) && a.mark !== "");
}

/**
 * @param {string} address
 * @returns {string} the same for all renditions of a video, where its address shows that
 */
export function withoutQuality(address) {
  let path = strip(address, FLEETING).replace(/\?$/, "");
  const [place, query = ""] = path.split("?");
  path = place.replace(SUFFIX, ".");
  for (const pattern of QUALITY) path = path.replace(pattern, "*");
  return query ? `${path}?${query}` : path;
}

/** @param {string} address @param {RegExp} names of query parameters to leave out */
function strip(address, names) {
  const url = new URL(address, location.href);
  const kept = [...url.searchParams].filter(([name]) => !names.test(name)).sort();
  // The servers of a delivery network stand for each other, where numbers alone tell them apart.
  const [first, ...rest] = url.hostname.split(".");
  const host = [rest.length > 1 ? first.replace(/\d+/g, "*") : first, ...rest].join(".");
  return `${host}${url.pathname}?${new URLSearchParams(kept)}`;
}

/** @param {HTMLVideoElement} video @returns {string} "" where nothing tells it from its neighbours */
function markOf(video) {
  if (video.ownerDocument.querySelectorAll("video").length === 1) return "the only one";
  return `${video.poster ? withoutQuality(video.poster) : ""} ${linkBeside(video)}`.trim();
}

/** The nearest link around a video that holds no other: in a list, that of its own entry. @param {Element} video */
function linkBeside(video) {
  /** @type {Node|null} */
  let around = video;
  for (let count = 0; around && count < MOST_PARENTS; count++) {
    around = around.parentNode ?? (around instanceof ShadowRoot ? around.host : null);
    if (!(around instanceof Element || around instanceof ShadowRoot)) continue;
    if (around.querySelectorAll("video").length > 1) return "";
    const link = around.querySelector("a[href]");
    if (link instanceof HTMLAnchorElement) return link.origin + link.pathname;
  }
  return "";
}
