// The probability of manipulation over time, drawn by uPlot.

import { partWords } from "../../extension/shared/words.js";
import uPlot from "../vendor/uplot/uPlot.esm.js";

/** @typedef {import("../../extension/protocol/messages.js").Verdict} Verdict */
/** @typedef {{time: number, probability: number|null, verdict: Verdict}} Point time in Unix seconds */
/** @typedef {(seconds: number) => string} Label */

const HEIGHT = 96;

/** @type {Set<Chart>} that are on the page, to be painted again when its colours change */
const shown = new Set();

export class Chart {
  /**
   * @param {HTMLElement} place gets the drawing; as wide as it
   * @param {Label} label of a moment on the horizontal axis
   * @param {number} [height] CSS pixels
   */
  constructor(place, label, height = HEIGHT) {
    this.place = place;
    this.height = height;
    place.setAttribute("role", "img");
    /** @type {[number, number]} the span of time that is shown, Unix seconds */
    this.span = [0, 1];
    this.plot = new uPlot(
      {
        width: Math.max(1, place.clientWidth),
        height,
        padding: [8, 30, 0, 0],
        cursor: { show: false },
        legend: { show: false },
        scales: { x: { time: false, range: () => this.span }, y: { range: [0, 1] } },
        axes: [
          { ...axis(), size: 24, space: 90, values: (_, at) => at.map(label) },
          { ...axis(), size: 52, splits: () => [0, 0.5, 1], values: (_self, at) => at.map(partWords) },
        ],
        series: [
          {},
          { stroke: () => colour("--calm"), width: 1.5, points: { show: false } },
          // Heavier as well as of another colour: it must not take colour vision to see it.
          { stroke: () => colour("--accent"), width: 4, points: { show: true, size: 5, fill: () => colour("--accent") } },
          { stroke: () => colour("--soft"), width: 1, dash: [5, 4], points: { show: false } },
        ],
      },
      [[], [], [], []],
      place,
    );
    this.sizes = new ResizeObserver(() => this.fit());
    this.sizes.observe(place);
    shown.add(this);
  }

  fit() {
    const width = this.place.clientWidth;
    if (width > 0 && width !== this.plot.width) this.plot.setSize({ width, height: this.height });
  }

  /**
   * @param {Point[]} points in order of time
   * @param {[number, number]} span
   * @param {number|null} threshold from which on a face counts as likely fake
   */
  show(points, span, threshold) {
    this.span = span;
    const times = [span[0], ...points.map(({ time }) => time), span[1]];
    this.plot.setData([
      times,
      [null, ...points.map(({ probability }) => probability), null],
      [null, ...points.map(({ probability, verdict }) => (verdict === "likely_fake" ? probability : null)), null],
      times.map(() => threshold),
    ]);
  }

  /** @param {string} text what the drawing shows, for those who do not see it */
  describe(text) {
    this.place.setAttribute("aria-label", text);
  }

  remove() {
    shown.delete(this);
    this.sizes.disconnect();
    this.plot.destroy();
  }
}

/** @param {string} name of a custom property of the page's style */
function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name);
}

/** @returns {import("../vendor/uplot/uPlot.esm.js").Axis} */
function axis() {
  const line = { stroke: () => colour("--rule"), width: 1 };
  return { stroke: () => colour("--soft"), font: "12px system-ui, sans-serif", grid: line, ticks: { ...line, size: 4 } };
}

for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)", "(prefers-contrast: more)"]) {
  matchMedia(query).addEventListener("change", () => {
    for (const chart of shown) chart.plot.redraw();
  });
}
