// The card's picture of where the evidence lies: the face from the video beside itself with the
// heat map over it, drawn here from the playing video, so that no picture comes back from the
// server. On request the map also lies over the face in the video.

import { faceWithin, placementOf } from "./layout.js";
import { contextOf } from "../shared/dom.js";
import { say } from "../shared/words.js";

/** @typedef {import("../protocol/messages.js").Explanation} Explanation */
/** @typedef {import("../protocol/messages.js").ErrorMessage} ErrorMessage */
/** @typedef {import("../protocol/messages.js").Face} Face */
/** @typedef {import("./layout.js").Rect} Rect */

/** Of each picture of the face, CSS pixels. */
export const SIDE = 120;
const GAP = 6;
/** Of the two pictures with the gap between them. */
export const PAIR_WIDTH = 2 * SIDE + GAP;
const AGAIN_MS = 2000;
const PATIENCE_MS = 8000;

/** Cividis (Nunez et al., PLOS ONE 2018), dark blue to yellow, for colour-blind readers too. */
const RAMP = [
  [0, 34, 78],
  [67, 78, 108],
  [125, 124, 120],
  [188, 174, 108],
  [254, 232, 56],
];

export class HeatView {
  /** @param {ShadowRoot} root */
  constructor(root) {
    this.section = document.createElement("section");
    this.section.className = "heat";
    this.section.hidden = true;
    this.button = document.createElement("button");
    this.button.type = "button";
    // Not disabled while it waits: a disabled button loses the focus.
    this.button.addEventListener("click", () => this.waiting || this.ask());
    this.picture = document.createElement("canvas");
    this.picture.setAttribute("role", "img");
    this.words = document.createElement("p");
    this.words.setAttribute("role", "status");
    this.box = document.createElement("input");
    this.box.type = "checkbox";
    this.box.addEventListener("change", () => this.overChanged());
    this.choice = document.createElement("label");
    this.choice.append(this.box, say("heat_over"));
    this.section.append(this.button, this.picture, this.words, this.choice);
    /** Over the face in the video. */
    this.layer = document.createElement("canvas");
    this.layer.className = "heat-over";
    this.layer.hidden = true;
    (root.querySelector(".stage") ?? root).prepend(this.layer);
    this.waiting = false;
    /** Whether the map may lie over the face in the video: not where that would be judged as well. */
    this.mayCover = true;
    /** @type {HTMLVideoElement|null} */
    this.video = null;
    /** @type {(track: number) => void} */
    this.request = () => {};
    /** @type {number|null} */
    this.track = null;
    /** @type {Face["box"]|null} where the face is now */
    this.face = null;
    /** @type {Explanation|null} */
    this.shown = null;
    /** @type {Rect|null} the box around the face on the stage */
    this.place = null;
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.timer = undefined;
  }

  /**
   * @param {HTMLVideoElement} video
   * @param {(track: number) => void} request asks the server about a face
   */
  connect(video, request) {
    this.video = video;
    this.request = request;
    this.section.hidden = false;
  }

  /** @param {number|null} track the face that the card is about; null when it closes */
  open(track) {
    clearTimeout(this.timer);
    this.track = track;
    this.shown = null;
    this.face = null;
    this.place = null;
    this.box.checked = false;
    this.layer.hidden = true;
    this.picture.hidden = true;
    this.choice.hidden = true;
    this.waiting = false;
    this.button.textContent = say("heat_ask");
    this.words.textContent = "";
  }

  /** @param {boolean} [quietly] without a word, when it is asked again by itself */
  ask(quietly = false) {
    if (this.track === null) return;
    clearTimeout(this.timer);
    this.waiting = true;
    if (!quietly) this.words.textContent = say("heat_waiting");
    this.timer = setTimeout(() => this.fail(say("heat_late")), PATIENCE_MS);
    this.request(this.track);
  }

  /** @param {string} text */
  fail(text) {
    clearTimeout(this.timer);
    this.waiting = false;
    this.words.textContent = text;
  }

  /** @param {Explanation|ErrorMessage} message */
  answered(message) {
    if (this.track === null || message.track !== this.track) return;
    if (message.type === "error") {
      if (message.code === "explain_too_often") this.fail(say("heat_wait"));
      else this.fail(say("heat_missing", message.message));
      return;
    }
    clearTimeout(this.timer);
    this.shown = message;
    this.waiting = false;
    this.button.textContent = say("heat_again");
    const found = message.heat.some((row) => row.some((value) => value > 0));
    this.words.textContent = say(found ? "heat_hint" : "heat_none");
    this.picture.hidden = false;
    this.choice.hidden = !found || !this.mayCover;
    this.draw();
    this.cover();
    if (this.box.checked && found) this.timer = setTimeout(() => this.ask(true), AGAIN_MS);
  }

  overChanged() {
    if (this.box.checked) this.ask(true);
    else clearTimeout(this.timer);
    this.cover();
  }

  /** The face as it is in the video now, and beside it the same with the heat over it. */
  draw() {
    const { video, shown, picture } = this;
    const context = contextOf(picture, PAIR_WIDTH, SIDE);
    if (!context || !video || !shown) return;
    picture.setAttribute("aria-label", say("heat_title"));
    const width = video.videoWidth;
    const height = video.videoHeight;
    const [left, top, right] = cornersAt(shown, this.face ?? shown.box, width, height);
    // From the picture's pixels to the thumbnail's: the crop's own corners become upright.
    const toCrop = unit(left, top, right, SIDE).inverse();
    const heat = heatCanvas(shown.heat);
    for (const x of [0, SIDE + GAP]) {
      context.save();
      context.beginPath();
      context.rect(x, 0, SIDE, SIDE);
      context.clip();
      context.translate(x, 0);
      context.transform(toCrop.a, toCrop.b, toCrop.c, toCrop.d, toCrop.e, toCrop.f);
      context.drawImage(video, 0, 0, width, height);
      context.restore();
    }
    context.drawImage(heat, SIDE + GAP, 0, SIDE, SIDE);
  }

  /** @param {Rect} box around the face, on the stage */
  follow(box) {
    this.place = box;
    this.cover();
  }

  /** Lay the heat over the face, or take it away. */
  cover() {
    const { layer, shown, place, video } = this;
    layer.hidden = !this.mayCover || !this.box.checked || !shown || !place || !video;
    if (layer.hidden || !shown || !place || !video) return;
    if (layer.dataset.time !== String(shown.media_time)) {
      layer.dataset.time = String(shown.media_time);
      contextOf(layer, SIDE, SIDE)?.drawImage(heatCanvas(shown.heat), 0, 0, SIDE, SIDE);
    }
    const { mirrored } = placementOf(video);
    const face = faceWithin(place);
    const [a, b, c] = cornersAt(shown, [face.x, face.y, face.width, face.height], 1, 1).map(
      ({ x, y }) => ({ x: mirrored ? 2 * face.x + face.width - x : x, y }),
    );
    layer.style.transform = unit(a, b, c, SIDE).toString();
  }
}

/**
 * Where the crop's top left, top right and bottom left are once the face has moved to ``face``.
 * @param {Explanation} shown
 * @param {Face["box"]} face
 * @param {number} width of the unit that ``face`` counts in
 * @param {number} height
 */
function cornersAt(shown, face, width, height) {
  const [left, top, boxWidth, boxHeight] = shown.box;
  return [0, 1, 3].map((index) => {
    const [x, y] = shown.corners[index];
    return {
      x: (face[0] + ((x - left) / boxWidth) * face[2]) * width,
      y: (face[1] + ((y - top) / boxHeight) * face[3]) * height,
    };
  });
}

/**
 * The transform that carries a square of ``side`` to the parallelogram with these corners.
 * @param {{x: number, y: number}} topLeft
 * @param {{x: number, y: number}} topRight
 * @param {{x: number, y: number}} bottomLeft
 * @param {number} side
 */
function unit(topLeft, topRight, bottomLeft, side) {
  return new DOMMatrix([
    (topRight.x - topLeft.x) / side,
    (topRight.y - topLeft.y) / side,
    (bottomLeft.x - topLeft.x) / side,
    (bottomLeft.y - topLeft.y) / side,
    topLeft.x,
    topLeft.y,
  ]);
}

/** @param {number[][]} heat rows from the top, 0 to 1 @returns {HTMLCanvasElement} to lie over the crop */
export function heatCanvas(heat) {
  const canvas = document.createElement("canvas");
  canvas.width = heat[0]?.length ?? 1;
  canvas.height = heat.length;
  const context = canvas.getContext("2d");
  if (!context) return canvas;
  const image = context.createImageData(canvas.width, canvas.height);
  heat.flat().forEach((value, index) => {
    const place = value * (RAMP.length - 1);
    const below = Math.min(Math.floor(place), RAMP.length - 2);
    RAMP[below].forEach((from, band) => {
      image.data[4 * index + band] = from + (place - below) * (RAMP[below + 1][band] - from);
    });
    // What carries no evidence is darkened, what carries most is tinted yellow.
    image.data[4 * index + 3] = 255 * (0.55 - 1.2 * value * (1 - value));
  });
  context.putImageData(image, 0, 0);
  return canvas;
}
