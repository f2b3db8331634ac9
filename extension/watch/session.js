// One watched video: its frames, its link to the server while it has a place there, its overlay, and
// the state they add up to.

import { isFloating } from "../capture/floating.js";
import { FrameTaker, MOST_PER_SECOND } from "../capture/frames.js";
import { Rhythm } from "../capture/rhythm.js";
import { alarmed, strongest } from "../overlay/sensitivity.js";
import { Memories } from "./memories.js";
import { Pace } from "./pace.js";
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
 * @property {Memories} [memories] of the videos shown before in this document
 * @property {boolean} [waits] whether it has to wait for a place
 * @property {() => void} [onWanted] called when it plays and has no place
 */

/** From this readyState on an element knows its video's length; HTMLMediaElement.HAVE_METADATA. */
const HAVE_METADATA = 1;

export class VideoSession {
  /** @param {HTMLVideoElement} video @param {SessionOptions} options */
  constructor(video, options) {
    this.video = video;
    this.overlay = options.overlay;
    this.options = options;
    this.memories = options.memories ?? new Memories();
    /** @type {LinkState} */
    this.linkState = "connecting";
    /** Whose turn it is instead, in words. */
    this.waitsFor = "";
    this.detail = "";
    /** @type {import("../overlay/memory.js").VideoMemory|null} */
    this.memory = null;
    /** @type {State|null} */
    this.finding = null;
    this.faces = 0;
    this.fake = false;
    this.gathering = false;
    /** @type {import("../protocol/messages.js").Verdict|null} the strongest word on a face */
    this.word = null;
    this.hidden = false;
    this.ended = false;
    this.told = "";
    this.linkedByTab = false;
    this.turn = {};
    /** Frames before this id show another place of the video. */
    this.staleBefore = 0;
    /** Whether a verdict has come since the last jump. */
    this.judgedOnce = false;
    this.pace = new Pace();
    this.mostPerSecond = MOST_PER_SECOND;
    this.stop = new AbortController();
    /** @type {Link|null} */
    this.link = null;
    this.frames = new FrameTaker(video, {
      onFrame: (header, picture) => {
        // Its keys were taken away again.
        if (this.finding === "protected") this.found(null);
        this.noteSent(header.captured_at);
        this.link?.sendFrame(header, picture);
      },
      findPlace: () => {
        const covers = this.overlay.covers();
        return covers && placeOnTab(this.video, covers);
      },
      onPlace: (header, place) => {
        this.noteSent(header.captured_at);
        this.link?.sendPlace?.(header, place);
      },
      onJump: () => this.jumped(),
      onFinding: (finding) => this.found(finding),
      onStill: (still) => this.stood(still),
    });
    this.way = new WayFinder(this.frames, options.picture ?? "none", () => this.wayChanged());
    this.listen();
    this.join();
    if (!options.waits) this.setPlace(true);
    this.flow();
  }

  /** To the element that is watched now, and to the overlay over it. */
  join() {
    const { video, overlay } = this;
    // Of a player in a closed frame there is no picture here to lay the evidence over.
    if (!("placement" in video)) overlay.card.heat.connect(video, (track) => this.link?.explain(track));
    // What is no longer looked at is neither without a face nor still a warning.
    overlay.onStale = () => {
      this.forgetFaces();
      this.refresh();
    };
    if (isFloating(video)) overlay.setAway(true);
    if (video.readyState >= HAVE_METADATA) this.recognise();
  }

  get hasPlace() {
    return this.link !== null;
  }

  /** @param {boolean} place whether it is judged; without a place it has no link to the server */
  setPlace(place) {
    if (this.ended || place === this.hasPlace) return;
    if (place) {
      this.linkState = "connecting";
      this.connect();
      if (!this.wantsFrames) this.link?.sendControl("pause");
    } else {
      this.link?.close();
      this.link = null;
      this.frames.sending = false;
      // A paused video keeps its labels: the picture they lie on is still there.
      if (!this.video.paused && !this.hidden) this.forgetFaces();
      this.pace = new Pace();
    }
    this.flow();
  }

  /** @param {string} turn who is judged meanwhile, in words */
  setTurn(turn) {
    this.waitsFor = turn;
    this.refresh();
  }

  /** Whether its turn has come to an answer: a word on every face, that there is none, or why not. */
  get isSettled() {
    return this.finding !== null || (this.judgedOnce && !this.gathering);
  }

  /** Find the memory of the video that the element shows now. */
  recognise() {
    this.memory = this.memories.of(this.video);
    this.overlay.remember(this.memory);
  }

  connect() {
    this.linkedByTab = this.way.byTab;
    this.link?.close();
    this.link = this.options.openLink(this.linkEvents(), this.frames.way);
  }

  /** @returns {LinkEvents} of the link that is opened now: what an earlier one still says is past */
  linkEvents() {
    const ours = (this.turn = {});
    const heard = () => this.turn === ours;
    return {
      onMessage: (message) => heard() && this.receive(message),
      onState: (state, detail) => heard() && this.linkChanged(state, detail),
      onFinding: (finding) => heard() && this.pictureWas(finding),
      onMissed: (frameId) => heard() && this.frames.answered(frameId),
    };
  }

  wayChanged() {
    const { byTab, byShots } = this.way;
    this.finding = null;
    this.overlay.setFilmed(byTab, byShots);
    if (this.hasPlace && byTab !== this.linkedByTab) {
      this.connect();
      this.link?.sendControl("pause");
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
    on("enterpictureinpicture", () => this.floated());
    on("leavepictureinpicture", () => this.floated());
    on("emptied", () => {
      this.way.begin();
      this.memory = null;
      this.overlay.remember(null);
      this.found(null);
      this.jumped();
    });
    on("loadedmetadata", () => this.recognise());
    on("durationchange", () => {
      // Before anything was found a new length may tell that it is another video, or which one.
      if (this.memory && this.memory.version > 0) this.memories.grown(this.video, this.memory);
      else if (this.video.readyState >= HAVE_METADATA) this.recognise();
    });
  }

  get wantsFrames() {
    return !this.video.paused && !this.video.ended && !this.hidden && !this.ended;
  }

  /** Take frames only while there is something to see and somebody to send it to. */
  flow() {
    const running = this.wantsFrames && this.hasPlace;
    if (running !== this.frames.running) {
      if (running) this.frames.start();
      else this.frames.stop();
      this.pace.reset(performance.now());
      this.link?.sendControl(running ? "resume" : "pause");
    }
    if (this.wantsFrames && !this.hasPlace) {
      this.forgetFaces();
      this.options.onWanted?.();
    }
    this.refresh();
  }

  /** The picture is in a window of its own, where nothing can be drawn, or is back. */
  floated() {
    this.overlay.setAway(isFloating(this.video));
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
    this.forgetFaces();
    this.refresh();
  }

  forgetFaces() {
    this.faces = 0;
    this.fake = false;
    this.gathering = false;
    this.word = null;
    this.judgedOnce = false;
    this.overlay.clear();
  }

  /** @param {LinkState} state @param {string} detail */
  linkChanged(state, detail) {
    if (this.ended) return;
    this.linkState = state;
    this.detail = detail;
    this.frames.sending = state === "open";
    if (state !== "open") {
      this.frames.restart();
      this.pace.reset(performance.now());
      this.forgetFaces();
    }
    this.refresh();
  }

  /**
   * Another element shows the same track from now on: the stream at the server goes on.
   * @param {HTMLVideoElement} video
   * @param {Overlay} overlay over it
   */
  moveTo(video, overlay) {
    this.stop.abort();
    this.stop = new AbortController();
    overlay.inherit(this.overlay);
    this.overlay.remove();
    this.overlay = overlay;
    this.video = video;
    this.frames.moveTo(video);
    this.listen();
    this.join();
    this.flow();
  }

  /** @param {boolean} still whether a stream gives no new picture */
  stood(still) {
    if (still && !this.finding) this.found("still");
    else if (!still && this.finding === "still") this.found(null);
  }

  /** @param {import("../shared/states.js").Finding} finding what a picture that was sent turned out to be */
  pictureWas(finding) {
    // Pixels that could be taken can be read: this is of a picture from before.
    if (finding === "unreadable" && this.frames.way === "pixels") return;
    this.found(finding === "picture" ? null : finding);
  }

  /** @param {State|null} finding */
  found(finding) {
    if (this.finding === finding) return;
    if (isKept(finding) && this.way.closed(finding)) return;
    this.finding = finding;
    if (finding) this.forgetFaces();
    this.refresh();
  }

  /** @param {ServerMessage} message */
  receive(message) {
    if (this.ended) return;
    if (message.type === "welcome") {
      this.frames.rhythm = new Rhythm(message.sample_hz);
      this.mostPerSecond = message.limits.fps ?? MOST_PER_SECOND;
      this.setPace();
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
    const now = performance.now();
    this.pace.answeredOne(performance.timeOrigin + now - message.captured_at, now);
    this.setPace();
    const shown = this.overlay.show(message);
    this.judgedOnce = true;
    this.gathering = shown.some(({ verdict }) => verdict === "gathering");
    this.faces = shown.length;
    this.fake = alarmed(shown);
    this.word = strongest(shown);
    this.refresh();
  }

  /** @param {number} capturedAt milliseconds since the epoch */
  noteSent(capturedAt) {
    const now = performance.now();
    this.pace.sentOne(performance.timeOrigin + now - capturedAt, now);
    this.setPace();
  }

  setPace() {
    this.way.setRate(Math.min(this.mostPerSecond, this.pace.mostPerSecond));
  }

  /** @returns {State} */
  get state() {
    if (isKept(this.finding) && this.way.picture === "off") return "offered";
    if (isKept(this.finding) && this.way.picture === "lost") return "tab_lost";
    if (this.finding) return this.finding;
    if (this.hasPlace && this.linkState !== "open") return this.linkState;
    if (this.video.paused || this.hidden) return "paused";
    if (!this.hasPlace) return "waiting";
    if (this.pace.isBusy) return "busy";
    return this.judgedOnce ? "watching" : "open";
  }

  refresh() {
    if (this.ended) return;
    const { state, faces, fake } = this;
    const detail = state === "waiting" ? this.waitsFor : this.detail;
    this.overlay.setState(state, detail);
    const floating = isFloating(this.video) ? this.word : null;
    const told = `${state} ${faces} ${fake} ${floating} ${detail}`;
    if (told === this.told) return;
    this.told = told;
    this.options.onSummary({ state, faces, fake, floating, detail });
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
