// How each verdict looks: a colour from Okabe and Ito's palette for colour-blind readers (the
// vermilion a shade lighter, for dark grounds), and a line, corners and an icon of its own, so that
// colour is never the only difference. There is no green and no tick: "likely real" is no seal.

/** @typedef {import("../protocol/messages.js").Verdict} Verdict */
/**
 * @typedef {object} Look
 * @property {string} colour
 * @property {number} line width in CSS pixels, 0 for corners only
 * @property {number[]} dash in line widths
 * @property {number} corner width of the corner marks in CSS pixels, 0 for none
 * @property {string} icon SVG path data in a 16 by 16 field, drawn with a stroke
 */

/** @type {Record<Verdict, Look>} */
export const LOOKS = {
  likely_fake: {
    colour: "#ff7a33",
    line: 2.5,
    dash: [],
    corner: 6,
    icon: "M8 1.8 15 14.2H1ZM8 6.2v4M8 12v.4",
  },
  unsure: {
    colour: "#f0e442",
    line: 2,
    dash: [5, 3.5],
    corner: 0,
    icon: "M8 1 15 8 8 15 1 8ZM6.4 6.6a1.7 1.6 0 1 1 2.5 1.5c-.6.3-.9.6-.9 1.1M8 11.2v.3",
  },
  likely_real: {
    colour: "#56b4e9",
    line: 0,
    dash: [],
    corner: 2.5,
    icon: "M8 1.5a6.5 6.5 0 1 0 .01 0ZM8 6.8a1.2 1.2 0 1 0 .01 0Z",
  },
  gathering: {
    colour: "#d5d9df",
    line: 1.5,
    dash: [1, 3],
    corner: 0,
    icon: "M3 8v.01M8 8v.01M13 8v.01",
  },
  not_enough_evidence: {
    colour: "#d5d9df",
    line: 1.5,
    dash: [1, 3],
    corner: 0,
    icon: "M8 1.5a6.5 6.5 0 1 0 .01 0ZM4.8 8h6.4",
  },
};

/**
 * @param {CanvasRenderingContext2D} context in CSS pixels
 * @param {import("./layout.js").Rect} box
 * @param {Verdict} verdict
 */
export function drawBox(context, box, verdict) {
  const look = LOOKS[verdict];
  const thin = Math.min(box.width, box.height) < 60 ? 0.6 : 1;
  const radius = Math.min(8, box.width / 8, box.height / 8);
  context.lineJoin = "round";
  // A dark line under the coloured one: it must show on a white wall and in a dark room alike.
  for (const under of [true, false]) {
    context.strokeStyle = under ? "rgba(0, 0, 0, 0.55)" : look.colour;
    if (look.line > 0) {
      const width = look.line * thin;
      context.lineCap = look.dash[0] === 1 ? "round" : "butt";
      context.lineWidth = under ? width + 2 : width;
      context.setLineDash(look.dash.map((part) => part * width));
      context.beginPath();
      context.roundRect(box.x, box.y, box.width, box.height, radius);
      context.stroke();
      context.setLineDash([]);
    }
    if (look.corner > 0) {
      context.lineCap = "round";
      context.lineWidth = under ? look.corner * thin + 2 : look.corner * thin;
      corners(context, box, radius);
    }
  }
}

/**
 * The corners alone, for marks that must stay clear of the face.
 * @param {CanvasRenderingContext2D} context in CSS pixels
 * @param {import("./layout.js").Rect} box
 * @param {Verdict} verdict
 * @param {number} arm CSS pixels
 */
export function drawCorners(context, box, verdict, arm) {
  const look = LOOKS[verdict];
  const width = (look.corner || look.line + 0.5) * (box.width < 100 ? 0.6 : 1);
  const radius = Math.min(8, arm / 2);
  context.lineJoin = "round";
  context.lineCap = "round";
  for (const under of [true, false]) {
    context.strokeStyle = under ? "rgba(0, 0, 0, 0.55)" : look.colour;
    context.lineWidth = under ? width + 2 : width;
    if (look.dash.length > 0) context.setLineDash([1, 2.2 * width]);
    corners(context, box, radius, arm);
    context.setLineDash([]);
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {import("./layout.js").Rect} box
 * @param {number} radius
 * @param {number} [arm]
 */
function corners(context, box, radius, arm = Math.max(radius, Math.min(26, 0.2 * Math.min(box.width, box.height)))) {
  const { x, y } = box;
  const right = x + box.width;
  const bottom = y + box.height;
  context.beginPath();
  for (const [cx, cy, dx, dy] of [
    [x, y, 1, 1],
    [right, y, -1, 1],
    [right, bottom, -1, -1],
    [x, bottom, 1, -1],
  ]) {
    context.moveTo(cx + dx * arm, cy);
    context.arcTo(cx, cy, cx, cy + dy * arm, radius);
    context.lineTo(cx, cy + dy * arm);
  }
  context.stroke();
}

/** @param {Verdict} verdict @returns {SVGElement} */
export function icon(verdict) {
  const ns = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(ns, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(ns, "path");
  path.setAttribute("d", LOOKS[verdict].icon);
  svg.append(path);
  return svg;
}
