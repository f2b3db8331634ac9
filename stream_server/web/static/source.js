// Where the live page's video comes from: the sample clip, a file, the camera.

import { _ } from "./words.js";

/** @typedef {"sample"|"camera"|"file"} Kind */

export class Sources {
  /** @param {HTMLVideoElement} video */
  constructor(video) {
    this.video = video;
    /** @type {string|null} */
    this.objectUrl = null;
  }

  /** Let go of the camera and of the last file. */
  release() {
    const stream = /** @type {MediaStream|null} */ (this.video.srcObject);
    for (const track of stream?.getTracks() ?? []) track.stop();
    this.video.srcObject = null;
    this.video.removeAttribute("src");
    this.video.load();
    if (this.objectUrl) URL.revokeObjectURL(this.objectUrl);
    this.objectUrl = null;
  }

  /** @param {string} address */
  async playAddress(address) {
    this.release();
    this.video.loop = true;
    this.video.src = address;
    await this.video.play();
  }

  /** @param {File} file */
  async playFile(file) {
    this.release();
    this.objectUrl = URL.createObjectURL(file);
    this.video.loop = true;
    this.video.src = this.objectUrl;
    await this.video.play();
  }

  async playCamera() {
    if (!navigator.mediaDevices) {
      throw new Error(_("The browser gives the camera only to 127.0.0.1, localhost and https pages."));
    }
    const wanted = { width: { ideal: 1280 }, height: { ideal: 720 } };
    const stream = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
    this.release();
    this.video.loop = false;
    this.video.srcObject = stream;
    await this.video.play();
  }
}

/**
 * @param {unknown} error
 * @param {Kind} kind
 * @returns {string} for people
 */
export function explain(error, kind) {
  const name = error instanceof Error ? error.name : "";
  if (kind === "camera" && name === "NotAllowedError") return _("The browser did not allow the camera.");
  if (kind === "camera" && name === "NotFoundError") return _("No camera was found.");
  if (name === "NotSupportedError") return _("The browser cannot play this file.");
  if (name === "AbortError") return "";
  return error instanceof Error ? error.message : String(error);
}
