// One document's videos: finds them, keeps a session for each that is worth watching, and tells
// the service worker what they add up to.

import { choose, findVideos } from "../capture/find.js";
import { ClosedFrames } from "./closed_frames.js";
import { VideoSession } from "./session.js";
import { Overlay } from "../overlay/overlay.js";
import { MOST_VIDEOS } from "../shared/limits.js";
import { closedLink } from "../transport/closed_link.js";
import { RelayHost } from "../transport/relay/in_page.js";
import { openTabLink } from "../transport/tab_link.js";

/** @typedef {import("../shared/states.js").Summary} Summary */
/** @typedef {import("../shared/settings.js").Sensitivity} Sensitivity */
/** @typedef {import("../shared/tab_picture.js").TabPicture} TabPicture */
/** @typedef {{session: VideoSession, summary: Summary|null}} Watched */

const REVIEW_EVERY_MS = 1000;

export class Watcher {
  /** @param {{sensitivity: Sensitivity, picture: TabPicture}} settings */
  constructor(settings) {
    this.sensitivity = settings.sensitivity;
    this.picture = settings.picture;
    /** @type {Map<HTMLVideoElement, Watched>} */
    this.watched = new Map();
    this.relay = new RelayHost();
    this.closedFrames = new ClosedFrames();
    this.told = "";
    this.review = this.review.bind(this);
    this.timer = setInterval(this.review, REVIEW_EVERY_MS);
    this.review();
  }

  /** Which videos are worth watching now, and which are no longer. */
  review() {
    // The extension was updated or removed: this copy has nobody to talk to any more.
    if (!chrome.runtime?.id) {
      this.stop();
      return;
    }
    const hidden = document.visibilityState === "hidden";
    if (hidden) {
      for (const { session } of this.watched.values()) session.setHidden(true);
      return;
    }
    const framed = /** @type {any[]} */ (this.closedFrames.players(this.picture));
    const videos = [...findVideos(document), ...framed];
    const chosen = new Set(choose(videos, (video) => this.watched.has(video), MOST_VIDEOS));
    for (const [video, { session }] of this.watched) {
      if (!chosen.has(video) || session.link?.isAlive?.() === false) {
        session.end();
        this.watched.delete(video);
      }
    }
    for (const video of chosen) {
      if (this.watched.has(video)) this.watched.get(video)?.session.setHidden(false);
      else this.watch(video);
    }
    if (this.watched.size === 0) this.relay.close();
    this.report();
  }

  /** @param {HTMLVideoElement} video */
  watch(video) {
    /** @type {Watched} */
    const entry = { session: /** @type {any} */ (null), summary: null };
    entry.session = new VideoSession(video, {
      overlay: new Overlay(video, { sensitivity: this.sensitivity }),
      openLink: (events, way) => this.openLink(video, events, way),
      picture: this.picture,
      onSummary: (summary) => {
        entry.summary = summary;
        this.report();
      },
    });
    this.watched.set(video, entry);
  }

  /**
   * @param {HTMLVideoElement} video
   * @param {import("../transport/link.js").LinkEvents} events
   * @param {import("../capture/frames.js").Way} way
   */
  openLink(video, events, way) {
    if (way === "tab") return openTabLink(events);
    // In a sandboxed document the extension's own frame is sandboxed as well and has no powers.
    if (globalThis.origin === "null" || !(video instanceof HTMLVideoElement)) return closedLink(events);
    return this.relay.open("tab", events);
  }

  /** Tell the service worker, only when something has changed or it asks. */
  report(asked = false) {
    const summaries = [...this.watched.values()].flatMap(({ summary }) => summary ?? []);
    const told = JSON.stringify(summaries);
    if (told === this.told && !asked) return;
    this.told = told;
    chrome.runtime.sendMessage({ type: "tab-state", summaries }).catch(() => this.stop());
  }

  /** @param {Sensitivity} sensitivity */
  setSensitivity(sensitivity) {
    this.sensitivity = sensitivity;
    for (const { session } of this.watched.values()) session.overlay.sensitivity = sensitivity;
  }

  /** @param {TabPicture} picture whether the tab's picture can be had */
  setPicture(picture) {
    this.picture = picture;
    for (const { session } of this.watched.values()) session.setPicture(picture);
    this.review();
  }

  stop() {
    clearInterval(this.timer);
    for (const { session } of this.watched.values()) session.end();
    this.watched.clear();
    this.relay.close();
  }
}
