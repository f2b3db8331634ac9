// One monitor on the wall: its picture, its state and why, and its last minutes.

import { decimal, percent } from "../../extension/shared/words.js";
import { _ } from "../words.js";
import { Chart } from "./chart.js";
import { stateIcon } from "./icons.js";
import { Picture } from "./picture.js";
import { clock, duration, facesWords, moment, mostSuspicious, reasonWords, stateWords } from "./words.js";

/** @typedef {import("./server.js").Monitor} Monitor */
/** @typedef {import("./chart.js").Point} Point */
/**
 * @typedef {object} Acts what a tile's buttons do
 * @property {(monitor: Monitor) => Promise<void>} pause, resume, or try again
 * @property {(monitor: Monitor) => Promise<void>} rename
 * @property {(monitor: Monitor) => Promise<void>} remove
 * @property {(monitor: Monitor) => void} incidents show those of this monitor
 */

/** How far back the chart reaches, seconds. */
export const SPAN_S = 300;
/** States in which the server has a picture. */
const WITH_PICTURE = ["watching", "stalled"];

export class Tile {
  /** @param {HTMLTemplateElement} template @param {Monitor} monitor @param {Acts} acts */
  constructor(template, monitor, acts) {
    const copy = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
    this.element = /** @type {HTMLElement} */ (copy.firstElementChild);
    this.monitor = monitor;
    /** @type {Point[]} */
    this.points = [];
    this.canvas = /** @type {HTMLCanvasElement} */ (this.part("canvas"));
    this.picture = new Picture(this.canvas, monitor.id);
    /** @type {Chart|null} made once the tile has a width */
    this.chart = null;
    this.act(".pause", acts.pause);
    this.act(".rename", acts.rename);
    this.act(".remove", acts.remove);
    this.part(".mine").addEventListener("click", () => acts.incidents(this.monitor));
  }

  /** @param {string} selector */
  part(selector) {
    return /** @type {HTMLElement} */ (this.element.querySelector(selector));
  }

  /** A button that can be pressed again once it is done. @param {string} selector @param {(monitor: Monitor) => Promise<void>} act */
  act(selector, act) {
    const button = /** @type {HTMLButtonElement} */ (this.part(selector));
    button.addEventListener("click", async () => {
      // Not `disabled`, which would drop the keyboard's place on the page.
      if (button.getAttribute("aria-disabled") === "true") return;
      button.setAttribute("aria-disabled", "true");
      await act(this.monitor);
      button.removeAttribute("aria-disabled");
    });
  }

  /** @param {Monitor} monitor @param {number} now Unix seconds */
  show(monitor, now) {
    this.monitor = monitor;
    const { name, state, url, push_to } = monitor;
    this.element.dataset.state = state;
    this.part(".name").textContent = name;
    this.part(".address").textContent = push_to === null ? url : _("Push to {address}", { address: `${location.origin}${push_to}` });
    this.part(".state").replaceChildren(stateIcon(state), stateWords(state));
    this.part(".why").textContent = reasonWords(monitor);
    const first = state === "watching" ? mostSuspicious(monitor.faces) : null;
    this.element.dataset.verdict = first?.verdict ?? "";
    const faces = state === "watching" ? facesWords(monitor.faces) : "";
    this.part(".faces").textContent = faces;
    const newest = _("Newest picture of {stream}.", { stream: name });
    this.canvas.setAttribute("aria-label", `${newest} ${faces}`);
    const since = moment(monitor.since, now);
    const lag = state === "watching" && monitor.lag_s !== null ? decimal(monitor.lag_s, 1) : "";
    const facts = lag ? _("{lag} s behind live, since {since}", { lag, since }) : _("since {since}", { since });
    this.part(".facts").textContent = monitor.evidence ? _("{facts}; keeps evidence", { facts }) : facts;
    const stream = name;
    if (state === "paused") this.label(".pause", _("Resume"), _("Resume {stream}", { stream }));
    else if (state === "failed") this.label(".pause", _("Try again"), _("Try again {stream}", { stream }));
    else this.label(".pause", _("Pause"), _("Pause {stream}", { stream }));
    this.label(".mine", _("Incidents"), _("Incidents of {stream}", { stream }));
    this.label(".rename", _("Rename"), _("Rename {stream}", { stream }));
    this.label(".remove", _("Remove"), _("Remove {stream}", { stream }));
    this.picture.run(WITH_PICTURE.includes(state));
    if (!WITH_PICTURE.includes(state)) this.picture.show(null, []);
    this.part(".nothing").replaceChildren(...(WITH_PICTURE.includes(state) ? [] : [stateIcon(state)]));
  }

  /** @param {string} selector @param {string} text @param {string} spoken with the stream's name in it */
  label(selector, text, spoken) {
    const button = this.part(selector);
    button.textContent = text;
    button.setAttribute("aria-label", spoken);
  }

  /** @param {Point[]} points of the last minutes, as the server remembers them */
  recall(points) {
    this.points = points;
  }

  /** @param {Point} point */
  remember(point) {
    this.points.push(point);
    while (this.points.length > 0 && this.points[0].time < point.time - SPAN_S) this.points.shift();
  }

  /** @param {number} now Unix seconds @param {number|null} threshold */
  draw(now, threshold) {
    const place = this.part(".chart");
    place.hidden = !WITH_PICTURE.includes(this.monitor.state) && !this.points.some((point) => point.probability !== null);
    if (place.hidden) return;
    this.chart ??= new Chart(place, clock);
    this.chart.show(this.points, [now - SPAN_S, now], threshold);
    const known = this.points.flatMap(({ probability }) => probability ?? []);
    const span = duration(SPAN_S);
    this.chart.describe(
      known.length
        ? _("Probability of manipulation over the last {span}: highest {share}", { span, share: percent(Math.max(...known)) })
        : _("Probability of manipulation over the last {span}: no face was judged", { span }),
    );
  }

  remove() {
    this.picture.remove();
    this.chart?.remove();
    this.element.remove();
  }
}
