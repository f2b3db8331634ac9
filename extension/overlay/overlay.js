// What is drawn over one video, in a closed shadow root in the browser's top layer: a box and a
// label per face, a sign for the state, a card on click. The page can neither read nor style it.

import { Chip } from "./chip.js";
import { placementOf } from "./layout.js";
import { drawBox } from "./look.js";
import { shownVerdict } from "./sensitivity.js";
import { Stage } from "./stage.js";
import { SteadyBox } from "./steady.js";
import { remember } from "./timeline.js";
import { say } from "./words.js";

/** @typedef {import("../protocol/messages.js").Face} Face */
/** @typedef {import("../protocol/messages.js").Verdict} Verdict */
/** @typedef {import("../protocol/messages.js").VerdictMessage} VerdictMessage */
/** @typedef {import("../capture/session.js").State} State */
/** @typedef {import("../background/settings.js").Sensitivity} Sensitivity */
/** @typedef {import("./layout.js").Rect} Rect */
/**
 * @typedef {object} Shown one face on the screen
 * @property {Face} face
 * @property {Verdict} verdict what the person is told
 * @property {SteadyBox} steady
 * @property {import("./timeline.js").Point[]} points
 * @property {Chip} chip
 * @property {number|null} fakeSince media time since which the server says likely_fake
 */

/** Without a verdict for this long (ms, while playing) the boxes are of the past and go. */
const STALE_MS = 2000;
const LONGEST_CANVAS_SIDE = 1600;
/** Air between the face and the line around it, in face widths. */
const MARGIN = 0.07;

export class Overlay {
  /** @param {HTMLVideoElement} video @param {{sensitivity: Sensitivity}} options */
  constructor(video, options) {
    this.video = video;
    this.sensitivity = options.sensitivity;
    /** @type {Map<number, Shown>} */
    this.faces = new Map();
    this.mediaTime = 0;
    this.shownAt = 0;
    /** @type {State} */
    this.state = "connecting";
    this.detail = "";
    this.spokenFake = false;
    this.placement = placementOf(video);
    /** What is on the canvas now, to draw only what differs. */
    this.drawn = "";
    this.stage = new Stage();
    this.canvas = this.stage.canvas;
    this.badge = this.stage.badge;
    this.card = this.stage.card;
    this.stop = new AbortController();
    this.listen();
    this.layout();
  }

  listen() {
    const { signal } = this.stop;
    let asked = false;
    const soon = () => {
      if (asked) return;
      asked = true;
      requestAnimationFrame(() => {
        asked = false;
        if (!signal.aborted) this.layout();
      });
    };
    addEventListener("scroll", soon, { signal, capture: true, passive: true });
    addEventListener("resize", soon, { signal });
    document.addEventListener(
      "fullscreenchange",
      () => {
        this.stage.raise();
        soon();
      },
      { signal },
    );
    this.video.addEventListener("loadedmetadata", soon, { signal });
    const watcher = new ResizeObserver(soon);
    watcher.observe(this.video);
    signal.addEventListener("abort", () => watcher.disconnect());
  }

  /** Put the stage where the picture is now. */
  layout() {
    this.placement = placementOf(this.video);
    const { visible } = this.placement;
    if (!this.stage.moveTo(visible)) return;
    const ratio = Math.min(devicePixelRatio, LONGEST_CANVAS_SIDE / Math.max(1, visible.width));
    const width = Math.round(visible.width * ratio);
    const height = Math.round(visible.height * ratio);
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
      this.drawn = "";
      for (const { chip } of this.faces.values()) chip.measure();
    }
    this.draw();
  }

  /**
   * @param {VerdictMessage} message
   * @returns {{verdict: Verdict}[]} the faces as they are told
   */
  show(message) {
    const time = message.media_time;
    this.mediaTime = Math.max(this.mediaTime, time);
    this.shownAt = performance.now();
    const present = new Set(message.faces.map(({ track }) => track));
    for (const [track, shown] of this.faces) if (!present.has(track)) this.drop(track, shown);
    for (const face of message.faces) this.update(face, time);
    this.speak();
    this.badge.tell(this.state, this.detail, this.faces.size > 0);
    this.draw();
    return [...this.faces.values()];
  }

  /** @param {Face} face @param {number} time */
  update(face, time) {
    let shown = this.faces.get(face.track);
    if (shown) shown.steady.update(face.box, time);
    else {
      const { track } = face;
      const chip = new Chip(this.stage.element, () => this.toggleCard(track));
      shown = {
        face,
        verdict: face.verdict,
        steady: new SteadyBox(face.box, time),
        points: [],
        chip,
        fakeSince: null,
      };
      this.faces.set(track, shown);
    }
    shown.face = face;
    shown.fakeSince = face.verdict === "likely_fake" ? (shown.fakeSince ?? time) : null;
    const held = shown.fakeSince === null ? 0 : time - shown.fakeSince;
    shown.verdict = shownVerdict(this.sensitivity, face, held);
    remember(shown.points, { time, probability: face.probability, verdict: shown.verdict });
    const told = { ...face, verdict: shown.verdict };
    shown.chip.tell(told, shown.points, this.shownAt);
    if (this.card.track === face.track) this.card.fill(told, shown.points, this.shownAt);
  }

  /** @param {number} track @param {Shown} shown */
  drop(track, shown) {
    if (this.card.track === track) this.card.close();
    shown.chip.remove();
    this.faces.delete(track);
  }

  /** Say it once, for people who do not see the box. */
  speak() {
    const fake = [...this.faces.values()].some(({ verdict }) => verdict === "likely_fake");
    if (fake === this.spokenFake) return;
    this.spokenFake = fake;
    this.stage.spoken.textContent = fake ? say("spoken_fake") : "";
  }

  /** @param {number} track */
  toggleCard(track) {
    const shown = this.faces.get(track);
    if (!shown || this.card.track === track) {
      this.card.close();
      return;
    }
    this.card.open(track, shown.chip.button);
    const told = { ...shown.face, verdict: shown.verdict };
    this.card.fill(told, shown.points, performance.now());
    this.draw(true);
  }

  /** @param {number} mediaTime of the frame that is on the screen now */
  tick(mediaTime) {
    this.mediaTime = mediaTime;
    if (this.faces.size > 0 && performance.now() - this.shownAt > STALE_MS) this.clear();
    else if (this.faces.size > 0) this.layout();
    this.draw();
  }

  /** @param {State} state @param {string} detail */
  setState(state, detail) {
    this.state = state;
    this.detail = detail;
    this.badge.tell(state, detail, this.faces.size > 0);
  }

  clear() {
    for (const [track, shown] of this.faces) this.drop(track, shown);
    this.mediaTime = 0;
    this.speak();
    this.badge.tell(this.state, this.detail, false);
    this.draw();
  }

  /** @param {Face["box"]} box fractions of the frame @returns {Rect} within the stage, CSS pixels */
  toStage([left, top, width, height]) {
    const { picture, visible, mirrored } = this.placement;
    const x = mirrored ? 1 - left - width : left;
    const around = MARGIN * width * picture.width;
    return {
      x: picture.x + x * picture.width - visible.x - around,
      y: picture.y + top * picture.height - visible.y - around,
      width: width * picture.width + 2 * around,
      height: height * picture.height + 2 * around,
    };
  }

  /** @param {boolean} again draw although nothing has moved */
  draw(again = false) {
    const boxes = [...this.faces.values()].map((shown) => ({
      shown,
      box: this.toStage(shown.steady.at(this.mediaTime)),
    }));
    const key = boxes
      .map(({ shown, box }) => `${shown.verdict}${Object.values(box).map((v) => v.toFixed(1))}`)
      .join(";");
    if (key !== this.drawn || again) {
      this.drawn = key;
      this.paint(boxes);
    }
    const { visible } = this.placement;
    /** @type {Rect[]} */
    const taken = [];
    for (const { shown, box } of boxes) {
      const rect = shown.chip.place(box, visible, taken);
      taken.push(rect);
      if (this.card.track === shown.face.track) this.card.place(visible, rect);
    }
  }

  /** @param {{shown: Shown, box: Rect}[]} boxes */
  paint(boxes) {
    const context = this.canvas.getContext("2d");
    if (!context) return;
    const { visible } = this.placement;
    context.resetTransform();
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    context.scale(
      this.canvas.width / Math.max(1, visible.width),
      this.canvas.height / Math.max(1, visible.height),
    );
    for (const { shown, box } of boxes) drawBox(context, box, shown.verdict);
  }

  remove() {
    this.stop.abort();
    for (const { chip } of this.faces.values()) chip.remove();
    this.faces.clear();
    this.stage.remove();
  }
}
