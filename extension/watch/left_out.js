// The tiles in which people see themselves: not judged, unless they ask for it, and quietly said.

import { isOwnPicture } from "../capture/own_picture.js";
import { visibleArea } from "../capture/find.js";

/** @typedef {import("../overlay/overlay.js").Overlay} Overlay */

export class LeftOut {
  /** @param {boolean} judged whether the person wants their own picture judged @param {(video: HTMLVideoElement) => Overlay} makeOverlay */
  constructor(judged, makeOverlay) {
    this.judged = judged;
    this.makeOverlay = makeOverlay;
    /** @type {Map<HTMLVideoElement, Overlay>} */
    this.signs = new Map();
  }

  /** @param {HTMLVideoElement} video */
  isOut(video) {
    return !this.judged && isOwnPicture(video);
  }

  /**
   * @param {HTMLVideoElement[]} videos all of the document
   * @returns {HTMLVideoElement[]} those that are not left out
   */
  review(videos) {
    const own = videos.filter((video) => this.isOut(video));
    for (const [video, sign] of this.signs) {
      if (own.includes(video) && visibleArea(video) > 0) sign.layout();
      else {
        sign.remove();
        this.signs.delete(video);
      }
    }
    for (const video of own) {
      if (this.signs.has(video) || video.readyState < 2 || visibleArea(video) === 0) continue;
      const sign = this.makeOverlay(video);
      sign.setState("own", "");
      this.signs.set(video, sign);
    }
    return videos.filter((video) => !own.includes(video));
  }

  /** What to tell while nothing else is watched. @returns {import("../shared/states.js").Summary[]} */
  get summaries() {
    return this.signs.size > 0 ? [{ state: "own", faces: 0, fake: false, detail: "" }] : [];
  }

  end() {
    for (const sign of this.signs.values()) sign.remove();
    this.signs.clear();
  }
}
