// The label of one face: a real button, so that keyboards and screen readers reach it.

import { LOOKS, icon } from "./look.js";
import { keepFrom } from "./events.js";
import { moveTo } from "./mark.js";
import { labelSpot } from "./spots.js";
import { drawTimeline } from "./timeline.js";
import { reasonWords, say, shareWords, verdictWords } from "../shared/words.js";

/** @typedef {import("./timeline.js").Point} Point */
/** @typedef {import("../protocol/messages.js").Verdict} Verdict */
/** @typedef {import("./layout.js").Rect} Rect */
/** @typedef {import("../protocol/messages.js").Ground} Ground */
/**
 * @typedef {object} Told a face as the person is told of it
 * @property {Verdict} verdict
 * @property {boolean} held whether the person is told less than the server says
 * @property {number|null} probability
 * @property {string[]} reasons
 * @property {Ground[]} grounds
 */

const TEXT_EVERY_MS = 500;
/** Of the ring around a label that has the focus, CSS pixels. */
const RING = 4;

/**
 * @param {Told} told
 * @returns {string} the verdict in words, with the first reason where there is one
 */
export function wordsFor(told) {
  const [reason] = told.reasons;
  if (told.verdict === "not_enough_evidence" && reason) {
    return say("cannot_tell_because", reasonWords(reason, "short"));
  }
  return verdictWords(told.verdict, told.probability);
}

export class Chip {
  /** @param {HTMLElement} layer the face's own, which the label moves with @param {() => void} onClick */
  constructor(layer, onClick) {
    this.button = document.createElement("button");
    this.button.className = "chip";
    this.button.type = "button";
    this.button.setAttribute("aria-haspopup", "dialog");
    this.button.setAttribute("aria-expanded", "false");
    this.words = document.createElement("span");
    this.words.className = "words";
    this.percent = document.createElement("span");
    this.percent.className = "percent";
    this.spark = document.createElement("canvas");
    this.details = document.createElement("span");
    this.details.className = "details";
    this.details.textContent = say("details");
    keepFrom(this.button);
    this.button.addEventListener("click", onClick);
    layer.append(this.button);
    /** @type {Verdict|null} */
    this.verdict = null;
    this.textAt = -Infinity;
    this.width = 0;
    this.height = 0;
    /** @type {import("./spots.js").Side} */
    this.side = "above";
    this.x = 0;
    this.y = 0;
  }

  /**
   * Text changes at most twice a second, unless the verdict itself changes.
   * @param {Told} told
   * @param {Point[]} points
   * @param {number} now milliseconds
   */
  tell(told, points, now) {
    if (told.verdict === this.verdict && now - this.textAt < TEXT_EVERY_MS) return;
    this.textAt = now;
    if (told.verdict !== this.verdict) {
      this.verdict = told.verdict;
      this.button.dataset.verdict = told.verdict;
      this.button.style.setProperty("--colour", LOOKS[told.verdict].colour);
      // With spaces, which a grid does not show: it is read out as it is read.
      this.button.replaceChildren(icon(told.verdict), this.words, " ", this.percent, " ", this.spark, this.details);
    }
    const words = wordsFor(told);
    const share = told.held ? "" : shareWords(told.verdict, told.probability);
    this.words.textContent = words;
    this.percent.textContent = share;
    this.button.toggleAttribute("data-wordy", told.probability === null);
    this.button.toggleAttribute("data-plain", told.probability === null);
    // What can be read on it, and nothing else: whoever speaks to the browser says what is there.
    this.button.setAttribute("aria-label", [words, share, say("details")].filter(Boolean).join(", "));
    this.button.title = `${words}. ${say("card_label")}`;
    this.measure();
    drawTimeline(this.spark, points, { grid: false });
  }

  measure() {
    this.width = this.button.offsetWidth;
    this.height = this.button.offsetHeight;
  }

  /**
   * By the box, beside what stands there already.
   * @param {Rect} box within the stage
   * @param {{width: number, height: number}} stage
   * @param {Rect[]} taken
   * @param {Rect[]} eyes of every face
   * @param {{x: number, y: number}} layer where the layer is within the stage
   * @param {boolean} gliding whether the layer glides there
   * @returns {Rect}
   */
  place(box, stage, taken, eyes, layer, gliding) {
    const { width, height } = this;
    const { x, y, side } = labelSpot(this, box, stage, taken, eyes, this.side);
    this.side = side;
    return this.stand({ x, y, width, height }, layer, gliding);
  }

  /**
   * @param {Rect} spot within the stage
   * @param {{x: number, y: number}} layer where the layer is within the stage
   * @param {boolean} gliding
   * @returns {Rect}
   */
  stand(spot, layer, gliding) {
    moveTo(this.button, this, spot.x - layer.x, spot.y - layer.y, gliding ? 0 : Infinity);
    return spot;
  }

  /** @param {{x: number, y: number}} layer where the layer is within the stage @returns {Rect} what is drawn there */
  rectIn(layer) {
    const { x, y, width, height } = this;
    return { x: layer.x + x - RING, y: layer.y + y - RING, width: width + 2 * RING, height: height + 2 * RING };
  }

  remove() {
    this.button.remove();
  }
}
