// Where in a face the evidence lies: the face, and beside it the same with the heat over it.

import { heatCanvas } from "../../extension/overlay/heat.js";
import { say } from "../../extension/shared/words.js";
import { _ } from "../words.js";
import { heatMap } from "./server.js";

const SIDE = 224;
const GAP = 8;

/** @param {string} id of an incident of which a heat map is kept @returns {HTMLCanvasElement} painted in a while */
export function heatPair(id) {
  const canvas = document.createElement("canvas");
  canvas.width = 2 * SIDE + GAP;
  canvas.height = SIDE;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", say("heat_title"));
  void paint(canvas, id).catch(() => canvas.setAttribute("aria-label", _("The heat map could not be loaded")));
  return canvas;
}

/** @param {HTMLCanvasElement} canvas @param {string} id */
async function paint(canvas, id) {
  const { heat, face } = await heatMap(id);
  const image = new Image();
  image.src = face;
  await image.decode();
  const context = canvas.getContext("2d");
  for (const x of [0, SIDE + GAP]) context?.drawImage(image, x, 0, SIDE, SIDE);
  context?.drawImage(heatCanvas(heat), SIDE + GAP, 0, SIDE, SIDE);
}
