// One document's videos: finds them, keeps a session for each that is in view, gives the places at the
// server to those whose turn it is, and tells the service worker what they add up to.

import { choose, findVideos, visibleArea } from "../capture/find.js";
import { documents, isInFront } from "../capture/floating.js";
import { trackNameOf } from "../capture/track.js";
import { ClosedFrames } from "./closed_frames.js";
import { tellFlag } from "./flag_teller.js";
import { LeftOut } from "./left_out.js";
import { Memories } from "./memories.js";
import { Capacity, whoseTurn } from "./places.js";
import { VideoSession } from "./session.js";
import { nextOf, waits } from "./tiles.js";
import { Overlay } from "../overlay/overlay.js";
import { MOST_SHOWN, MOST_VIDEOS } from "../shared/limits.js";
import { say } from "../shared/words.js";
import { closedLink } from "../transport/closed_link.js";
import { RelayHost } from "../transport/relay/in_page.js";
import { openTabLink } from "../transport/tab_link.js";

/** @typedef {import("../shared/states.js").Summary} Summary */
/** @typedef {import("../shared/settings.js").Sensitivity} Sensitivity */
/** @typedef {import("../shared/tab_picture.js").TabPicture} TabPicture */
/**
 * @typedef {object} Watched
 * @property {VideoSession} session
 * @property {Summary|null} summary
 * @property {number} area of the part in view, CSS pixels
 * @property {number|null} since when it got its place, milliseconds; null without
 * @property {number} leftAt when it last lost one
 * @property {number} idleSince since when it has been paused or hidden; Infinity while it plays
 * @property {string|null} track of a stream
 * @property {number|null} goneAt since when no element shows it, milliseconds; null while one does
 */

const REVIEW_EVERY_MS = 1000;
/** A pause or a look at another tab of this length keeps the place, milliseconds. */
const KEEP_PLACE_MS = 10_000;
/** The hidden frame is kept for this long after the last place was given up, milliseconds. */
const KEEP_RELAY_MS = 4000;
/** A page that changes its grid starts many videos at once. */
const SOON_MS = 50;

export class Watcher {
  /**
   * @param {{sensitivity: Sensitivity, picture: TabPicture, ownPicture: boolean, inFront: boolean}} settings inFront:
   *     whether the tab is in front of its window, which a tab whose picture is had cannot see
   */
  constructor(settings) {
    this.sensitivity = settings.sensitivity;
    this.picture = settings.picture;
    /** @type {Map<HTMLVideoElement, Watched>} */
    this.watched = new Map();
    this.memories = new Memories();
    this.capacity = new Capacity(MOST_VIDEOS);
    this.leftOut = new LeftOut(settings.ownPicture, (video) => this.overlayFor(video));
    this.relay = new RelayHost();
    this.closedFrames = new ClosedFrames();
    this.usedAt = performance.now();
    this.left = new AbortController();
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.soon = undefined;
    this.told = "";
    this.stopped = false;
    this.inFront = settings.inFront;
    this.review = this.review.bind(this);
    this.timer = setInterval(this.review, REVIEW_EVERY_MS);
    // A tile that a page has made anew goes on at once.
    document.addEventListener("playing", () => this.reviewSoon(), { capture: true, signal: this.left.signal });
    this.review();
  }

  reviewSoon() {
    clearTimeout(this.soon);
    this.soon = setTimeout(this.review, SOON_MS);
  }

  /** Which videos are worth watching now, and which are no longer. */
  review() {
    // The extension was updated or removed: this copy has nobody to talk to any more.
    if (!chrome.runtime?.id) {
      this.stop();
      return;
    }
    if (document.visibilityState === "hidden" || !this.inFront) {
      for (const [video, { session, goneAt }] of this.watched) session.setHidden(goneAt !== null || !isInFront(video));
    } else this.find();
    this.seat();
    this.closeIdleRelay();
    this.report();
  }

  /** Not between two clips of a feed: a frame anew for each costs more than one that waits. */
  closeIdleRelay() {
    const now = performance.now();
    if ([...this.watched.values()].some(({ session }) => session.hasPlace)) this.usedAt = now;
    else if (now - this.usedAt > KEEP_RELAY_MS) this.relay.close();
  }

  find() {
    const own = documents().flatMap(findVideos);
    // Whether anything plays in a closed frame cannot be known: it is looked at where nothing else is.
    const framed = /** @type {any[]} */ (own.some((video) => !video.paused) ? [] : this.closedFrames.players(this.picture));
    const videos = [...this.leftOut.review(own), ...framed];
    const chosen = new Set(choose(videos, (video) => this.watched.has(video), MOST_SHOWN));
    for (const [video, entry] of [...this.watched]) this.follow(video, entry, chosen);
    const now = performance.now();
    for (const [video, entry] of this.watched) {
      const { session } = entry;
      entry.goneAt = chosen.has(video) ? null : (entry.goneAt ?? now);
      const stays = chosen.has(video) || (!this.leftOut.isOut(video) && waits(entry, now));
      if (stays && !session.link.isDead) session.setGone(!chosen.has(video));
      else {
        session.end();
        this.watched.delete(video);
      }
    }
    for (const video of chosen) {
      const entry = this.watched.get(video) ?? this.watch(video);
      entry.area = visibleArea(video);
    }
  }

  /** Give the places to those whose turn it is, and tell the others who is judged meanwhile. */
  seat() {
    const now = performance.now();
    const all = [...this.watched.values()];
    this.measure(all, now);
    for (const one of all) {
      if (one.session.wantsFrames) one.idleSince = Infinity;
      else one.idleSince = Math.min(one.idleSince, now);
    }
    const playing = all.filter(({ session }) => session.wantsFrames);
    const turns = whoseTurn(playing.map((one) => asCandidate(one)), this.capacity.places, now);
    const seated = new Set([...turns].map(({ entry }) => entry));
    // Who pauses for a moment keeps a place that nobody else wants.
    for (const one of all) {
      const resting = one.since !== null && now - one.idleSince < KEEP_PLACE_MS;
      if (resting && seated.size < this.capacity.places) seated.add(one);
    }
    for (const one of all) if (!seated.has(one)) this.unseat(one, now);
    for (const one of seated) {
      one.since ??= now;
      one.session.setPlace(true);
    }
    const judged = playing.filter((one) => seated.has(one));
    const turn = say("judging_of", ...[judged, playing].map((some) => String(some.filter(canBeJudged).length)));
    for (const one of all) if (!one.session.hasPlace) one.session.setTurn(turn);
  }

  /** @param {Watched} entry @param {number} now */
  unseat(entry, now) {
    if (entry.since !== null) entry.leftAt = now;
    entry.since = null;
    entry.session.setPlace(false);
  }

  /** How many places there are: the server may refuse some, or be behind. @param {Watched[]} all @param {number} now */
  measure(all, now) {
    const judged = all.filter(({ session }) => session.hasPlace);
    const refused = judged.filter(({ session }) => session.link.state === "full");
    const starving = judged.some(({ session }) => session.pace.starving);
    const open = judged.length - refused.length;
    this.capacity.note({ open, refused: refused.length, starving }, now);
    // The last one keeps asking, and says what it waits for.
    for (const one of refused.slice(open > 0 ? 0 : 1)) this.unseat(one, now);
  }

  /**
   * A tile of a call that was made anew, or that went into another window, keeps its session.
   * @param {HTMLVideoElement} video
   * @param {Watched} entry
   * @param {Set<HTMLVideoElement>} chosen
   */
  follow(video, entry, chosen) {
    const { session } = entry;
    const moved = session.overlay.stage.page !== video.ownerDocument;
    if (chosen.has(video)) entry.track = trackNameOf(video) ?? entry.track;
    if (chosen.has(video) && !moved) return;
    const next = nextOf(video, entry, [...chosen].filter((one) => one === video || !this.watched.has(one)));
    if (!next) return;
    this.watched.delete(video);
    this.watched.set(next, entry);
    session.moveTo(next, this.overlayFor(next));
  }

  /** @param {HTMLVideoElement} video */
  overlayFor(video) {
    return new Overlay(video, { sensitivity: this.sensitivity });
  }

  /** @param {HTMLVideoElement} video @returns {Watched} */
  watch(video) {
    /** @type {Watched} */
    const entry = {
      session: /** @type {any} */ (null),
      summary: null,
      area: 0,
      since: null,
      leftAt: -Infinity,
      idleSince: Infinity,
      track: trackNameOf(video),
      goneAt: null,
    };
    entry.session = new VideoSession(video, {
      overlay: this.overlayFor(video),
      openLink: (events, way) => this.openLink(video, events, way),
      picture: this.picture,
      onSummary: (summary) => {
        entry.summary = summary;
        this.report();
      },
      onFlag: (flag, begins) => void tellFlag(flag, begins ? entry.session : null),
      memories: this.memories,
      waits: true,
      // It plays again and should not have to wait for the next look around.
      onWanted: () => {
        // Not by its element: the session may have moved to another one.
        const known = () => [...this.watched.values()].includes(entry);
        if (entry.idleSince < Infinity) queueMicrotask(() => known() && this.seat());
      },
    });
    this.watched.set(video, entry);
    return entry;
  }

  /**
   * @param {HTMLVideoElement} video
   * @param {import("../transport/link.js").LinkEvents} events
   * @param {import("../capture/frames.js").Way} way
   */
  openLink(video, events, way) {
    if (way === "tab") return openTabLink(events, (picture) => this.setPicture(picture));
    // In a sandboxed document the extension's own frame is sandboxed as well and has no powers.
    if (globalThis.origin === "null" || !(video instanceof HTMLVideoElement)) return closedLink(events);
    return this.relay.open("tab", events);
  }

  /** Tell the service worker, only when something has changed or it asks. */
  report(asked = false) {
    const judged = [...this.watched.values()].flatMap(({ summary }) => summary ?? []);
    const summaries = this.watched.size > 0 ? judged : this.leftOut.summaries;
    const told = JSON.stringify(summaries);
    if (told === this.told && !asked) return;
    this.told = told;
    chrome.runtime.sendMessage({ type: "tab-state", summaries }).catch(() => this.stop());
  }

  /** The focus to the label that matters most, or from a label back to where it was. */
  goToLabel() {
    /** @param {Watched} entry */
    const rank = ({ session: { answer, overlay } }) => (overlay.stage.reach.isHere ? 0 : answer.fake ? 1 : 2);
    const seen = [...this.watched.values()].filter(({ goneAt }) => goneAt === null);
    seen.sort((a, b) => rank(a) - rank(b) || b.area - a.area);
    seen.find(({ session }) => session.overlay.goToLabel());
  }

  /** @param {Sensitivity} sensitivity */
  setSensitivity(sensitivity) {
    this.sensitivity = sensitivity;
    for (const { session } of this.watched.values()) session.overlay.sensitivity = sensitivity;
  }

  /** @param {TabPicture} picture whether the tab's picture can be had */
  setPicture(picture) {
    if (this.stopped) return; // it was told late
    this.picture = picture;
    for (const { session } of this.watched.values()) session.setPicture(picture);
    this.review();
  }

  /** @param {boolean} front whether the tab is in front of its window */
  setFront(front) {
    this.inFront = front;
    this.review();
  }

  /** @param {boolean} judged whether the person wants their own picture judged */
  setOwnPicture(judged) {
    this.leftOut.judged = judged;
    this.review();
  }

  stop() {
    this.stopped = true;
    clearInterval(this.timer);
    clearTimeout(this.soon);
    this.left.abort();
    for (const { session } of this.watched.values()) session.end();
    this.watched.clear();
    this.leftOut.end();
    this.relay.close();
  }
}

/** @param {Watched} entry */
function canBeJudged({ session }) {
  return session.finding === null;
}

/** @param {Watched} entry */
function asCandidate(entry) {
  const { area, since, leftAt, session } = entry;
  return { entry, area, since, leftAt, settled: session.isSettled };
}
