// What is drawn over one video, in a closed shadow root in the browser's top layer: a box and a
// label per face, a sign for the state, a card on click. The page can neither read nor style it.

import { Chip } from "./chip.js";
import { clearAround, clearSpot, meet } from "./clear.js";
import { boxAround, elementOf, placementOf } from "./layout.js";
import { GLIDE_MS, Mark } from "./mark.js";
import { OwnDrawing } from "./own_drawing.js";
import { shownVerdict, strongest } from "./sensitivity.js";
import { eyesOf } from "./spots.js";
import { Stage } from "./stage.js";
import { SteadyBox } from "./steady.js";
import { remember } from "./timeline.js";
import { speedOf, timeNow } from "../shared/clock.js";
import { say } from "../shared/words.js";

/** @typedef {import("../protocol/messages.js").Face} Face */
/** @typedef {import("../protocol/messages.js").Verdict} Verdict */
/** @typedef {import("../protocol/messages.js").VerdictMessage} VerdictMessage */
/** @typedef {import("../shared/states.js").State} State */
/** @typedef {import("../shared/settings.js").Sensitivity} Sensitivity */
/** @typedef {import("./layout.js").Rect} Rect */
/** @typedef {import("./memory.js").VideoMemory} VideoMemory */
/**
 * @typedef {object} Shown one face on the screen
 * @property {Face} face
 * @property {Verdict} verdict what the person is told
 * @property {SteadyBox} steady
 * @property {import("./timeline.js").Point[]} points
 * @property {Mark} mark
 * @property {Chip} chip
 * @property {number|null} fakeSince media time since which the server says likely_fake
 */

/** Without a verdict for this long (ms, while playing) the boxes are of the past and go. */
const STALE_MS = 2000;
/**
 * Scrolling and resizing are followed at once. A page that moves its video in another way is noticed
 * after this long (ms): looking makes the browser work out the page's layout.
 */
const LOOK_EVERY_MS = 200;

export class Overlay {
  /**
   * @param {HTMLVideoElement} video
   * @param {{sensitivity: Sensitivity, inTabOrder?: boolean}} options inTabOrder: on a page of our own the
   *     labels are stops of the Tab key
   */
  constructor(video, options) {
    this.video = video;
    this.sensitivity = options.sensitivity;
    /** @type {Map<number, Shown>} */
    this.faces = new Map();
    /** @type {Map<number, Pick<Shown, "points"|"fakeSince">>} faces of an overlay before this one */
    this.past = new Map();
    this.shownAt = 0;
    this.placedAt = 0;
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.staleTimer = undefined;
    /** Called when no answer has come for so long that what was shown is shown no more. */
    this.onStale = () => {};
    /** @type {State} */
    this.state = "connecting";
    this.detail = "";
    this.spokenFake = false;
    /** What is judged is a picture of the tab, with everything here in it: marks keep clear of faces. */
    this.filmed = false;
    /** By single pictures of it. */
    this.slowly = false;
    this.drawnOver = false;
    /** @type {VideoMemory|null} what was found in this video before */
    this.memory = null;
    this.placement = placementOf(video);
    this.stage = new Stage(video.ownerDocument, options.inTabOrder ?? false);
    this.corner = this.stage.corner;
    this.card = this.stage.card;
    this.drawing = new OwnDrawing(() => this.drawn());
    this.stop = new AbortController();
    this.listen();
    this.layout();
  }

  listen() {
    const { signal } = this.stop;
    const page = this.video.ownerDocument;
    const view = page.defaultView ?? globalThis;
    let asked = false;
    const soon = () => {
      if (asked) return;
      asked = true;
      view.requestAnimationFrame(() => {
        asked = false;
        if (!signal.aborted) this.layout();
      });
    };
    view.addEventListener("scroll", soon, { signal, capture: true, passive: true });
    view.addEventListener("resize", soon, { signal });
    page.addEventListener(
      "fullscreenchange",
      () => {
        this.stage.raise();
        soon();
      },
      { signal },
    );
    this.video.addEventListener("loadedmetadata", soon, { signal });
    const watcher = new ResizeObserver(soon);
    watcher.observe(elementOf(this.video));
    signal.addEventListener("abort", () => watcher.disconnect());
  }

  /** @param {Overlay} other of the element that showed the same video until now */
  inherit(other) {
    this.card.accuracy = other.card.accuracy;
    for (const [track, { points, fakeSince }] of other.faces) this.past.set(track, { points, fakeSince });
  }

  /** Put the stage where the picture is now. */
  layout() {
    // Taken out of the page it has no place: nothing jumps to the window's corner meanwhile.
    this.stage.element.classList.toggle("gone", !this.video.isConnected);
    if (!this.video.isConnected) return;
    const { width } = this.placement.visible;
    this.placement = placementOf(this.video);
    this.placedAt = performance.now();
    const { size, outside } = this.stage.element.dataset;
    if (!this.stage.moveTo(this.placement.visible)) return;
    const { dataset } = this.stage.element;
    if (dataset.size !== size) for (const { chip } of this.faces.values()) chip.measure();
    // In another width signs take another number of lines.
    if (this.placement.visible.width !== width || dataset.outside !== outside) this.corner.measure();
    this.draw(0);
  }

  /**
   * @param {VerdictMessage} message
   * @returns {{verdict: Verdict}[]} the faces as they are told
   */
  show(message) {
    const time = message.media_time;
    this.shownAt = performance.now();
    this.awaitNext();
    if (this.shownAt - this.placedAt >= LOOK_EVERY_MS) this.layout();
    const present = new Set(message.faces.map(({ track }) => track));
    for (const [track, shown] of this.faces) if (!present.has(track)) this.drop(track, shown);
    for (const face of message.faces) this.update(face, time);
    const shown = [...this.faces.values()];
    const { clock } = this.memory ?? {};
    this.memory?.note(clock === "day" ? Date.now() / 1000 : time, shown.map(({ verdict }) => verdict));
    this.speak();
    this.tellCorner();
    // On a picture of the tab it has to be known where everything is: nothing glides.
    this.draw(this.video.paused || this.filmed ? 0 : GLIDE_MS);
    return shown;
  }

  awaitNext() {
    clearTimeout(this.staleTimer);
    this.staleTimer = setTimeout(() => {
      if (this.video.paused) return;
      this.clear();
      this.onStale();
    }, STALE_MS);
  }

  /** @param {Face} face @param {number} time */
  update(face, time) {
    let shown = this.faces.get(face.track);
    if (shown) shown.steady.update(face.box, time);
    else {
      const { track } = face;
      const mark = new Mark(this.stage.element);
      const chip = new Chip(mark.layer, () => this.toggleCard(track));
      this.stage.reach.add(chip.button);
      shown = {
        face,
        verdict: face.verdict,
        steady: new SteadyBox(face.box, time),
        mark,
        chip,
        ...(this.past.get(track) ?? { points: [], fakeSince: null }),
      };
      this.past.delete(track);
      this.faces.set(track, shown);
    }
    shown.face = face;
    shown.fakeSince = face.verdict === "likely_fake" ? (shown.fakeSince ?? time) : null;
    const held = shown.fakeSince === null ? 0 : time - shown.fakeSince;
    shown.verdict = shownVerdict(this.sensitivity, face, held);
    remember(shown.points, { time, probability: face.probability, verdict: shown.verdict });
    const told = tellOf(shown);
    shown.chip.tell(told, shown.points, this.shownAt);
    if (this.card.track === face.track) this.fillCard(told, shown.points);
  }

  /** @param {number} track @param {Shown} shown */
  drop(track, shown) {
    if (this.card.track === track) this.card.close();
    this.stage.reach.remove(shown.chip.button);
    shown.mark.remove();
    shown.chip.remove();
    this.faces.delete(track);
  }

  /** A label that stands where a sign comes makes room for it at once. */
  tellCorner() {
    const changed = this.corner.tell(this.state, this.detail, [...this.faces.values()], this.memory);
    if (changed && this.faces.size > 0) this.draw(0);
    else this.drawing.changed();
  }

  /** @param {VideoMemory|null} memory of the video that is shown now; null while that is not known */
  remember(memory) {
    this.memory = memory;
    memory?.jumped();
    this.tellCorner();
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
    const told = tellOf(shown);
    this.fillCard(told, shown.points);
    this.draw(0);
  }

  /**
   * The focus to the details that lie open, or to the label that says most; from there back.
   * @returns {boolean} false where there is no label
   */
  goToLabel() {
    const { reach } = this.stage;
    const word = strongest([...this.faces.values()]);
    const main = [...this.faces.values()].find(({ verdict }) => verdict === word);
    if (reach.isHere) reach.leave();
    else if (this.card.track !== null) reach.enter(this.card.closeButton);
    else if (main) reach.enter(main.chip.button);
    return reach.isHere || main !== undefined;
  }

  /** @param {import("./card.js").Details} told @param {import("./timeline.js").Point[]} points */
  fillCard(told, points) {
    const { memory, video } = this;
    this.card.fill(told, points, memory && { memory, video }, performance.now());
  }

  /** The video has stopped: every box to where its face is in the picture that stays. */
  settle() {
    this.draw(0);
  }

  /** @param {boolean} away whether the picture is not where the video is */
  setAway(away) {
    this.stage.setAway(away);
  }

  /** @param {State} state @param {string} detail */
  setState(state, detail) {
    this.state = state;
    this.detail = detail;
    this.tellCorner();
  }

  /** @param {boolean} filmed @param {boolean} slowly two pictures a second */
  setFilmed(filmed, slowly) {
    this.filmed = this.drawing.filmed = filmed;
    this.slowly = slowly;
    this.stage.setOutside(filmed);
    this.card.heat.mayCover = !filmed;
    this.noteHow();
    this.draw(0);
  }

  /** @param {boolean} drawnOver whether the page draws over the picture what cannot be left out */
  setDrawnOver(drawnOver) {
    if (drawnOver === this.drawnOver) return;
    this.drawnOver = drawnOver;
    this.noteHow();
  }

  noteHow() {
    const notes = [this.slowly && say("two_pictures"), this.filmed && this.drawnOver && say("drawn_over")];
    this.corner.badge.setNote(notes.filter(Boolean).join(". "));
    this.tellCorner();
    this.corner.measure();
  }

  /**
   * Whether the faces can be seen on a picture of the tab. One on which the details lie is not judged,
   * but not forgotten either.
   */
  isClear() {
    if (this.card.track === null) return true;
    const card = this.cardRect();
    if (!this.faceSquares().some((clear) => meet(card, clear))) return true;
    this.awaitNext();
    return false;
  }

  /** @returns {Rect[]} around the faces, with all that is judged of them, in the window */
  faceSquares() {
    const { x, y } = this.placement.visible;
    const boxes = [...this.faces.values()].map(({ steady }) => this.toStage(steady.at(this.video.currentTime)));
    return boxes.map((box) => moved(clearAround(box), x, y));
  }

  /** @returns {Rect} in the window */
  cardRect() {
    const { left, top, width, height } = this.card.element.getBoundingClientRect();
    return { x: left, y: top, width, height };
  }

  /** @returns {Rect[]} all that is drawn now, in the page; none of a window that floats over it */
  drawn() {
    if (this.video.ownerDocument !== document) return [];
    const { x, y } = this.stage.at;
    const { corner, faces, card } = this;
    const inStage = [
      ...(corner.rect ? [corner.rect] : []),
      ...[...faces.values()].flatMap(({ mark, chip }) => [...mark.rects(this.filmed), chip.rectIn(mark)]),
    ];
    return [
      ...inStage.map((rect) => moved(rect, x, y)),
      ...(card.track === null ? [] : [moved(this.cardRect(), scrollX, scrollY)]),
    ];
  }

  clear() {
    this.past.clear();
    for (const [track, shown] of this.faces) this.drop(track, shown);
    this.memory?.jumped();
    this.speak();
    this.tellCorner();
  }

  /** @param {Face["box"]} box fractions of the frame @returns {Rect} within the stage, CSS pixels */
  toStage([left, top, width, height]) {
    const { picture, visible, mirrored } = this.placement;
    const x = mirrored ? 1 - left - width : left;
    return boxAround({
      x: picture.x + x * picture.width - visible.x,
      y: picture.y + top * picture.height - visible.y,
      width: width * picture.width,
      height: height * picture.height,
    });
  }

  /**
   * Send boxes and labels on their way to where the faces will be when they arrive.
   * @param {number} glide milliseconds, 0 to put them there at once
   */
  draw(glide) {
    const { visible } = this.placement;
    this.stage.element.classList.toggle("still", glide === 0);
    const arrival = timeNow(this.video) + (glide / 1000) * speedOf(this.video);
    const shown = [...this.faces.values()].map((one) => ({ ...one, box: this.toStage(one.steady.at(arrival)) }));
    /** @type {Rect[]} */
    const taken = this.corner.rect ? [this.corner.rect] : [];
    const faces = this.filmed ? shown.map(({ box }) => clearAround(box)) : [];
    const eyes = shown.map(({ box }) => eyesOf(box));
    for (const { face, verdict, mark, chip, box: around } of shown) {
      const box = this.filmed ? clearAround(around) : around;
      const glides = mark.place(box, verdict, this.filmed);
      const rect = this.filmed
        ? chip.stand(clearSpot(chip, box, faces, taken, visible, this.stage.room), mark, glides)
        : chip.place(box, visible, taken, eyes, mark, glides);
      taken.push(rect);
      if (this.card.track === face.track) this.card.place(visible, box, rect);
    }
    this.drawing.changed();
  }

  remove() {
    this.stop.abort();
    clearTimeout(this.staleTimer);
    this.drawing.end();
    for (const { chip } of this.faces.values()) chip.remove();
    this.faces.clear();
    this.stage.remove();
  }
}

/** @param {Shown} shown @returns {import("./card.js").Details} */
function tellOf({ face, verdict }) {
  return { ...face, verdict, held: face.verdict === "likely_fake" && verdict !== "likely_fake" };
}

/** @param {Rect} rect @param {number} x @param {number} y @returns {Rect} */
function moved(rect, x, y) {
  return { ...rect, x: rect.x + x, y: rect.y + y };
}
