// One watched video: its frames, its link to the server, its overlay, and the state they add up to.

import { isFloating } from "../capture/floating.js";
import { FrameTaker, MOST_PER_SECOND } from "../capture/frames.js";
import { Rhythm } from "../capture/rhythm.js";
import { Answer, NO_ANSWER } from "./answer.js";
import { listenTo } from "./element_events.js";
import { FlagWatch } from "./flags.js";
import { Memories } from "./memories.js";
import { Pace } from "./pace.js";
import { SessionLink } from "./session_link.js";
import { isKept, stateOf } from "./session_state.js";
import { TabFrames } from "./tab_frames.js";
import { WayFinder } from "./way.js";
import { SAMPLE_HZ } from "../protocol/messages.js";

/** @typedef {import("../protocol/messages.js").ServerMessage} ServerMessage */
/** @typedef {import("../protocol/messages.js").VerdictMessage} VerdictMessage */
/** @typedef {import("../overlay/overlay.js").Overlay} Overlay */
/** @typedef {import("../shared/flag.js").Flag} Flag */
/** @typedef {import("../shared/states.js").State} State */
/** @typedef {import("../shared/states.js").Summary} Summary */
/** @typedef {import("../shared/tab_picture.js").TabPicture} TabPicture */
/**
 * @typedef {object} SessionOptions
 * @property {Overlay} overlay
 * @property {ConstructorParameters<typeof SessionLink>[0]} openLink
 * @property {TabPicture} [picture] whether the tab's picture can be had
 * @property {(summary: Summary) => void} onSummary called when the summary has changed
 * @property {(flag: Flag, begins: boolean) => void} [onFlag] called for each stretch with a likely fake face
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
    /** Whose turn it is instead, in words. */
    this.waitsFor = "";
    /** @type {import("../overlay/memory.js").VideoMemory|null} */
    this.memory = null;
    /** @type {State|null} */
    this.finding = null;
    /** @type {Readonly<Answer>} */
    this.answer = NO_ANSWER;
    this.hidden = false;
    /** A stream that was taken from an element which had left the page. */
    this.left = false;
    this.ended = false;
    this.told = "";
    /** Frames before this id show another place of the video. */
    this.staleBefore = 0;
    this.pace = new Pace();
    this.mostPerSecond = MOST_PER_SECOND;
    this.fullRate = SAMPLE_HZ;
    /** @type {import("../shared/states.js").Looks|null} where the server is down to fewer than it should take */
    this.looks = null;
    this.stop = new AbortController();
    this.flags = new FlagWatch(options.onFlag ?? (() => {}));
    this.tabFrames = new TabFrames(() => this);
    this.link = new SessionLink(options.openLink, {
      onMessage: (message) => this.receive(message),
      onState: () => this.linkChanged(),
      onFinding: (finding) => this.pictureWas(finding),
      onMissed: (frameId) => this.frames.missed(frameId),
      onTaken: (frameId) => this.tabFrames.stayed(frameId),
    });
    this.frames = new FrameTaker(video, {
      onFrame: (header, pictures) => {
        // Its keys were taken away again.
        if (this.finding === "protected") this.found(null);
        this.noteSent(header.captured_at);
        this.link.sendFrame(header, pictures);
      },
      findPlace: () => this.tabFrames.find(),
      onPlace: (header, place) => {
        this.noteSent(header.captured_at);
        this.tabFrames.note(header.frame_id, place);
        this.link.sendPlace(header, place);
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
    if (!("placement" in video)) overlay.card.heat.connect(video, (track) => this.link.explain(track));
    // What is no longer looked at is neither without a face nor still a warning.
    overlay.onStale = () => {
      this.forgetFaces();
      this.refresh();
    };
    if (isFloating(video)) overlay.setAway(true);
    overlay.card.busy = this.looks;
    if (video.readyState >= HAVE_METADATA) this.recognise();
  }

  get hasPlace() {
    return this.link.isOpen;
  }

  /** @param {boolean} place whether it is judged; without a place it has no link to the server */
  setPlace(place) {
    if (this.ended || place === this.hasPlace) return;
    if (place) {
      this.link.state = "connecting";
      this.link.open(this.frames.way);
      if (!this.wantsFrames) this.link.control("pause");
    } else {
      this.link.close();
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
    return this.finding !== null || (this.answer.isThere && !this.answer.gathering);
  }

  /** Find the memory of the video that the element shows now. */
  recognise() {
    this.memory = this.memories.of(this.video);
    this.overlay.remember(this.memory);
  }

  wayChanged() {
    const { byTab, byShots } = this.way;
    this.finding = null;
    this.overlay.setFilmed(byTab, byShots);
    if (this.hasPlace && byTab !== this.link.byTab) {
      this.link.open(this.frames.way);
      this.link.control("pause");
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
    const events = {
      onJump: () => this.jumped(),
      onFlow: () => this.flow(),
      onPause: () => this.overlay.settle(),
      onResize: () => this.overlay.layout(),
      onFloat: () => this.floated(),
      onEmptied: () => this.emptied(),
      onBegin: () => this.left && this.forgetVideo(),
      onKnown: () => this.recognise(),
      onLength: () => this.lengthChanged(),
    };
    listenTo(this.video, events, this.stop.signal);
  }

  emptied() {
    // A tile that the page has taken apart: another element may go on with its stream.
    this.left = !this.video.isConnected && this.memory?.clock === "day";
    if (!this.left) this.forgetVideo();
  }

  forgetVideo() {
    this.left = false;
    this.way.begin();
    this.memory = null;
    this.overlay.remember(null);
    this.found(null);
    this.jumped();
  }

  lengthChanged() {
    // Before anything was found a new length may tell that it is another video, or which one.
    if (this.memory && this.memory.version > 0) this.memories.grown(this.video, this.memory);
    else if (this.video.readyState >= HAVE_METADATA) this.recognise();
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
      this.link.control(running ? "resume" : "pause");
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

  /** @param {boolean} gone no element shows it now; one may soon, with what was found */
  setGone(gone) {
    this.overlay.setAway(gone || isFloating(this.video));
    this.setHidden(gone);
  }

  jumped() {
    this.link.control("seek");
    this.frames.restart();
    this.staleBefore = this.frames.frameId + 1;
    this.forgetFaces();
    this.refresh();
  }

  forgetFaces() {
    this.flags.end();
    this.answer = NO_ANSWER;
    this.overlay.clear();
  }

  linkChanged() {
    if (this.ended) return;
    const isOpen = this.link.state === "open";
    this.frames.sending = isOpen;
    if (!isOpen) {
      this.frames.restart();
      this.pace.reset(performance.now());
      this.forgetFaces();
      this.setLooks(null);
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
    this.left = false;
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
      this.fullRate = message.sample_hz;
      this.mostPerSecond = message.limits.fps ?? MOST_PER_SECOND;
      this.frames.fovea.parts = message.limits.parts ?? 0;
      this.overlay.card.accuracy = message.accuracy;
      this.setPace();
    } else if (message.type === "verdict") {
      this.judged(message);
    } else if (message.type === "status") {
      this.setLooks(message.degraded ? message.rate : null);
    } else if (message.type === "explanation" || (message.type === "error" && message.track !== null)) {
      this.overlay.card.heat.answered(message);
    } else if (message.type === "error" && message.frame_id !== null) {
      this.frames.answered(message.frame_id);
    }
  }

  /** @param {number|null} rate looks a second that the server is down to; null where it keeps up */
  setLooks(rate) {
    this.looks = rate === null ? null : { rate, full: this.fullRate };
    this.overlay.card.busy = this.looks;
    this.refresh();
  }

  /** @param {VerdictMessage} message */
  judged(message) {
    this.frames.answered(message.frame_id);
    if (message.frame_id < this.staleBefore || this.finding) return;
    const now = performance.now();
    this.pace.answeredOne(performance.timeOrigin + now - message.captured_at, now);
    this.setPace();
    this.frames.fovea.saw(message);
    const shown = this.overlay.show(message);
    this.answer = new Answer(shown);
    const time = this.memory?.clock === "day" ? Date.now() / 1000 : message.media_time;
    this.flags.judged(shown, time, this.memory, this.video.duration);
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

  get state() {
    return stateOf(this);
  }

  refresh() {
    if (this.ended) return;
    const { state } = this;
    const { faces, fake, word } = this.answer;
    const detail = state === "waiting" ? this.waitsFor : this.link.detail;
    this.overlay.setState(state, detail);
    const floating = isFloating(this.video) ? word : null;
    const { looks } = this;
    const told = `${state} ${faces} ${fake} ${floating} ${detail} ${looks?.rate}`;
    if (told === this.told) return;
    this.told = told;
    this.options.onSummary({ state, faces, fake, floating, detail, looks });
  }

  end() {
    if (this.ended) return;
    this.ended = true;
    this.flags.end();
    this.stop.abort();
    this.frames.stop();
    this.link.close();
    this.overlay.remove();
  }
}
