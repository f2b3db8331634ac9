// One watched video: its frames, its link to the server, its overlay, and the state they add up to.

import { FrameTaker } from "../capture/frames.js";
import { Rhythm } from "../capture/rhythm.js";
import { alarmed } from "../overlay/sensitivity.js";
import { placeOnTab } from "./tab_place.js";
import { WayFinder } from "./way.js";

/** @typedef {import("../protocol/messages.js").ServerMessage} ServerMessage */
/** @typedef {import("../protocol/messages.js").VerdictMessage} VerdictMessage */
/** @typedef {import("../overlay/overlay.js").Overlay} Overlay */
/** @typedef {import("../shared/states.js").LinkState} LinkState */
/** @typedef {import("../shared/states.js").State} State */
/** @typedef {import("../shared/states.js").Summary} Summary */
/** @typedef {import("../shared/tab_picture.js").TabPicture} TabPicture */
/** @typedef {import("../transport/link.js").Link} Link */
/** @typedef {import("../transport/link.js").LinkEvents} LinkEvents */
/**
 * @typedef {object} SessionOptions
 * @property {Overlay} overlay
 * @property {(events: LinkEvents, way: import("../capture/frames.js").Way) => Link} openLink
 * @property {TabPicture} [picture] whether the tab's picture can be had
 * @property {(summary: Summary) => void} onSummary called when the summary has changed
 */

export class VideoSession {
  /** @param {HTMLVideoElement} video @param {SessionOptions} options */
  constructor(video, options) {
    this.video = video;
    this.overlay = options.overlay;
    this.openLink = options.openLink;
    this.onSummary = options.onSummary;
    /** @type {LinkState} */
    this.linkState = "connecting";
    this.detail = "";
    /** @type {State|null} */
    this.finding = null;
    this.faces = 0;
    this.fake = false;
    this.hidden = false;
    this.ended = false;
    this.told = "";
    this.linkedByTab = false;
    this.turn = {};
    /** Frames before this id show another place of the video. */
    this.staleBefore = 0;
    this.stop = new AbortController();
    /** @type {Link|null} */
    this.link = null;
    this.frames = new FrameTaker(video, {
      onFrame: (header, picture) => {
        // Its keys were taken away again.
        if (this.finding === "protected") this.found(null);
        this.link?.sendFrame(header, picture);
      },
      findPlace: () => {
        const covers = this.overlay.covers();
        return covers && placeOnTab(video, covers);
      },
      onPlace: (header, place) => this.link?.sendPlace?.(header, place),
      onJump: () => this.jumped(),
      onFinding: (finding) => this.found(finding),
    });
    this.way = new WayFinder(this.frames, options.picture ?? "none", (way) => this.wayChanged(way));
    this.listen();
    this.link = this.openLink(this.linkEvents(), "element");
    // Of a player in a closed frame there is no picture here to lay the evidence over.
    if (!("placement" in video)) options.overlay.card.heat.connect(video, (track) => this.link?.explain(track));
    this.flow();
  }

  /** @returns {LinkEvents} of the link that is opened now: what an earlier one still says is past */
  linkEvents() {
    const ours = (this.turn = {});
    const heard = () => this.turn === ours;
    return {
      onMessage: (message) => heard() && this.receive(message),
      onState: (state, detail) => heard() && this.linkChanged(state, detail),
      onFinding: (finding) => heard() && this.found(finding === "picture" ? null : finding),
      onMissed: (frameId) => heard() && this.frames.answered(frameId),
    };
  }

  /** @param {import("../capture/frames.js").Way} way */
  wayChanged(way) {
    const { byTab, byShots } = this.way;
    this.finding = null;
    this.overlay.setFilmed(byTab, byShots);
    if (byTab !== this.linkedByTab) {
      this.linkedByTab = byTab;
      this.link?.close();
      this.link = this.openLink(this.linkEvents(), way);
      this.link.sendControl("pause");
    }
    this.jumped();
    this.flow();
  }

  /** @param {TabPicture} picture whether the tab's picture can be had from now on */
  setPicture(picture) {
    this.way.setPicture(picture, isKept(this.finding));
    this.overlay.setFilmed(this.way.byTab, this.way.byShots);
    this.refresh();
  }

  listen() {
    const { signal } = this.stop;
    /** @param {string} type @param {() => void} handler */
    const on = (type, handler) => this.video.addEventListener(type, handler, { signal });
    on("seeking", () => this.jumped());
    on("play", () => this.flow());
    on("playing", () => this.flow());
    on("pause", () => {
      this.overlay.settle();
      this.flow();
    });
    on("ended", () => this.flow());
    on("resize", () => this.overlay.layout());
    on("emptied", () => {
      this.way.begin();
      this.found(null);
      this.jumped();
    });
  }

  /** Take frames only while there is something to see and somebody to send it to. */
  flow() {
    const running = !this.video.paused && !this.video.ended && !this.hidden && !this.ended;
    if (running !== this.frames.running) {
      if (running) this.frames.start();
      else this.frames.stop();
      this.link?.sendControl(running ? "resume" : "pause");
    }
    this.refresh();
  }

  /** @param {boolean} hidden the tab is hidden or the video is out of view */
  setHidden(hidden) {
    if (this.hidden === hidden) return;
    this.hidden = hidden;
    this.flow();
  }

  jumped() {
    this.link?.sendControl("seek");
    this.frames.restart();
    this.staleBefore = this.frames.frameId + 1;
    this.faces = 0;
    this.fake = false;
    this.overlay.clear();
    this.refresh();
  }

  /** @param {LinkState} state @param {string} detail */
  linkChanged(state, detail) {
    if (this.ended) return;
    this.linkState = state;
    this.detail = detail;
    this.frames.sending = state === "open";
    if (state !== "open") {
      this.frames.restart();
      this.faces = 0;
      this.fake = false;
      this.overlay.clear();
    }
    this.refresh();
  }

  /** @param {State|null} finding */
  found(finding) {
    if (this.finding === finding) return;
    if (isKept(finding) && this.way.closed(finding)) return;
    this.finding = finding;
    if (finding) {
      this.faces = 0;
      this.fake = false;
      this.overlay.clear();
    }
    this.refresh();
  }

  /** @param {ServerMessage} message */
  receive(message) {
    if (this.ended) return;
    if (message.type === "welcome") {
      this.frames.rhythm = new Rhythm(message.sample_hz);
      this.way.setRate(message.limits.fps);
    } else if (message.type === "verdict") {
      this.judged(message);
    } else if (message.type === "explanation" || (message.type === "error" && message.track !== null)) {
      this.overlay.card.heat.answered(message);
    } else if (message.type === "error" && message.frame_id !== null) {
      this.frames.answered(message.frame_id);
    }
  }

  /** @param {VerdictMessage} message */
  judged(message) {
    this.frames.answered(message.frame_id);
    if (message.frame_id < this.staleBefore || this.finding) return;
    const shown = this.overlay.show(message);
    this.faces = shown.length;
    this.fake = alarmed(shown);
    this.refresh();
  }

  /** @returns {State} */
  get state() {
    if (isKept(this.finding) && this.way.picture === "off") return "offered";
    if (isKept(this.finding) && this.way.picture === "lost") return "tab_lost";
    if (this.finding) return this.finding;
    if (this.linkState !== "open") return this.linkState;
    return this.video.paused || this.hidden ? "paused" : "watching";
  }

  refresh() {
    if (this.ended) return;
    const { state, faces, fake, detail } = this;
    this.overlay.setState(state, detail);
    const told = `${state} ${faces} ${fake} ${detail}`;
    if (told === this.told) return;
    this.told = told;
    this.onSummary({ state, faces, fake, detail });
  }

  end() {
    if (this.ended) return;
    this.ended = true;
    this.stop.abort();
    this.frames.stop();
    this.link?.close();
    this.overlay.remove();
  }
}

/** @param {State|null} finding @returns {finding is "unreadable"|"sandboxed"} whether a picture of the tab would help */
function isKept(finding) {
  return finding === "unreadable" || finding === "sandboxed";
}
