// One incident, in a panel over the page: what happened, how it looked, and what a person says of it.

import { icon } from "../../extension/overlay/look.js";
import { byId } from "../../extension/shared/dom.js";
import { percent, say } from "../../extension/shared/words.js";
import { _ } from "../words.js";
import { Chart } from "./chart.js";
import { onClosed } from "./dialog.js";
import { heatPair } from "./heat-pair.js";
import { changeIncident, evidencePath, incident as ask } from "./server.js";
import { clockWithSeconds, duration, incidentState, mediaTime, moment, troubleWords } from "./words.js";

/** @typedef {import("./server.js").Incident} Incident */
/** @typedef {Incident & {timeline: import("./server.js").Timeline}} Whole */
/** @typedef {import("./chart.js").Point} Point */

const panel = byId("detail", HTMLDialogElement);
const note = byId("detail-note", HTMLTextAreaElement);
const trouble = byId("detail-trouble", HTMLElement);
const acknowledge = byId("detail-acknowledge", HTMLButtonElement);
const wrong = byId("detail-wrong", HTMLButtonElement);
const IN_HASH = "incident";
const CHART_HEIGHT = 150;

export class Detail {
  /**
   * @param {object} needs
   * @param {(incident: Incident) => string} needs.streamOf what the stream of an incident is called
   * @param {() => number|null} needs.threshold
   * @param {() => void} needs.changed a person has said something of an incident
   */
  constructor({ streamOf, threshold, changed }) {
    this.streamOf = streamOf;
    this.threshold = threshold;
    this.changed = changed;
    /** @type {Whole|null} */
    this.incident = null;
    /** @type {Chart|null} */
    this.chart = null;
    onClosed(panel, () => this.closed());
    panel.addEventListener("click", (event) => {
      if (event.target === panel) panel.close(); // beside the panel
    });
    byId("detail-close", HTMLButtonElement).addEventListener("click", () => panel.close());
    acknowledge.addEventListener("click", () => void this.mark({ acknowledged: !this.incident?.acknowledged }));
    wrong.addEventListener("click", () => void this.markWrong(!this.incident?.wrong));
    byId("detail-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      void this.mark({ note: note.value.trim() });
    });
  }

  /** Open the incident that the page's address names. */
  async follow() {
    const id = named();
    if (id === null) return panel.close();
    trouble.textContent = "";
    try {
      const whole = await ask(id);
      if (named() !== id) return; // the person is elsewhere by now
      this.show(whole, true);
    } catch (error) {
      if (named() !== id) return;
      byId("note", HTMLElement).textContent = troubleWords(error);
      forgetAddress();
      return;
    }
    if (!panel.open) panel.showModal();
    panel.scrollTop = 0;
    this.drawTimeline();
  }

  closed() {
    this.incident = null;
    this.chart?.remove();
    this.chart = null;
    byId("detail-pictures", HTMLElement).replaceChildren();
    forgetAddress();
  }

  /** @param {Incident} incident of which there is news */
  async news({ id }) {
    if (id !== this.incident?.id) return;
    const whole = await ask(id).catch(() => null);
    if (whole === null || id !== this.incident?.id) return;
    this.show(whole, false);
    this.drawTimeline();
  }

  /** Who calls it wrong has looked at it. @param {boolean} is */
  markWrong(is) {
    return this.mark(is ? { wrong: true, acknowledged: true } : { wrong: false });
  }

  /** @param {object} change */
  async mark(change) {
    if (!this.incident) return;
    try {
      const changed = await changeIncident(this.incident.id, change);
      trouble.textContent = "";
      this.show({ ...this.incident, ...changed }, false);
      byId("detail-said", HTMLElement).textContent = "note" in change ? _("Note saved.") : incidentState(changed);
      this.changed();
    } catch (error) {
      trouble.textContent = troubleWords(error);
    }
  }

  /** @param {Whole} incident @param {boolean} opened whether it is another one than before */
  show(incident, opened) {
    const kept = String(this.incident?.evidence);
    this.incident = incident;
    const { verdict, opened_at, closed_at, media_start_s, media_end_s, peak, mean } = incident;
    byId("detail-title", HTMLElement).replaceChildren(
      icon(verdict),
      _("{verdict}, up to {share}", { verdict: say(`verdict_${verdict}`), share: percent(peak) }),
    );
    panel.dataset.verdict = verdict;
    byId("detail-stream", HTMLElement).textContent = this.streamOf(incident);
    const end = closed_at === null
        ? _("still going on")
        : _("{time}, after {duration}", { time: moment(closed_at), duration: duration(closed_at - opened_at) });
    facts([
      [_("Began"), moment(opened_at)],
      [_("Ended"), end],
      [_("In the stream"), say("time_span", mediaTime(media_start_s), mediaTime(media_end_s))],
      [_("Probability"), _("{mean} on average, {peak} at its highest", { mean: percent(mean), peak: percent(peak) })],
      [_("State"), incidentState(incident)],
    ]);
    votes(incident.members);
    if (opened || kept !== String(incident.evidence)) this.pictures(incident);
    acknowledge.setAttribute("aria-pressed", String(incident.acknowledged));
    wrong.setAttribute("aria-pressed", String(incident.wrong));
    if (opened || document.activeElement !== note) note.value = incident.note;
    const { marked_by, marked_at } = incident;
    byId("detail-by", HTMLElement).textContent = 
      marked_at === null ? "" : _("Last marked {time} by {who}.", { time: moment(marked_at), who: marked_by ?? "" });
    if (opened) byId("detail-said", HTMLElement).textContent = "";
  }

  /** @param {Incident} incident */
  pictures(incident) {
    const place = byId("detail-pictures", HTMLElement);
    const { evidence, id } = incident;
    const shown = [];
    if (evidence.includes("still")) shown.push(captioned(still(evidencePath(id, "still.jpg")), _("At its highest")));
    if (evidence.includes("heat")) shown.push(captioned(heatPair(id), _("Where the evidence lies")));
    if (evidence.includes("clip")) shown.push(captioned(clip(evidencePath(id, "clip.mp4")), _("How it began")));
    place.replaceChildren(...shown);
    byId("detail-none", HTMLElement).hidden = shown.length > 0;
    byId("detail-hint", HTMLElement).hidden = !evidence.includes("heat");
  }

  drawTimeline() {
    const { incident } = this;
    const place = byId("detail-timeline", HTMLElement);
    const threshold = this.threshold();
    /** @type {Point[]} */
    const points = (incident?.timeline ?? []).map(([time, probability]) => {
      const fake = threshold !== null && probability >= threshold;
      return { time, probability, verdict: fake ? "likely_fake" : "unsure" };
    });
    byId("detail-timeline-part", HTMLElement).hidden = points.length < 2;
    if (!incident || points.length < 2) return;
    this.chart ??= new Chart(place, clockWithSeconds, CHART_HEIGHT);
    this.chart.show(points, [points[0].time, points[points.length - 1].time], threshold);
    this.chart.describe(
      _("Probability of manipulation from {time} on, highest {share}", {
        time: clockWithSeconds(points[0].time),
        share: percent(incident.peak),
      }),
    );
  }
}

/** @returns {string|null} the incident that the page's address names */
function named() {
  return new URLSearchParams(location.hash.slice(1)).get(IN_HASH);
}

function forgetAddress() {
  if (location.hash) history.replaceState(null, "", location.pathname + location.search);
}

/** @param {[string, string][]} rows */
function facts(rows) {
  byId("detail-facts", HTMLElement).replaceChildren(
    ...rows.flatMap(([name, value]) => {
      const term = document.createElement("dt");
      const description = document.createElement("dd");
      term.textContent = name;
      description.textContent = value;
      return [term, description];
    }),
  );
}

/** @param {Record<string, number>} members */
function votes(members) {
  const rows = Object.entries(members).sort(([, a], [, b]) => b - a);
  byId("detail-votes-part", HTMLElement).hidden = rows.length === 0;
  byId("detail-votes", HTMLElement).replaceChildren(
    ...rows.map(([name, probability]) => {
      const item = document.createElement("li");
      const label = document.createElement("span");
      label.textContent = name.replaceAll("_", " ");
      const bar = document.createElement("span");
      bar.className = "bar";
      const fill = document.createElement("i");
      fill.style.width = `${Math.round(100 * probability)}%`;
      bar.append(fill);
      const value = document.createElement("span");
      value.textContent = percent(probability);
      item.append(label, bar, value);
      return item;
    }),
  );
}

/** @param {string} path */
function still(path) {
  const image = document.createElement("img");
  image.src = path;
  image.alt = _("The picture at the highest probability");
  return image;
}

/** @param {string} path */
function clip(path) {
  const video = document.createElement("video");
  video.src = path;
  video.controls = true;
  video.muted = true;
  video.loop = true;
  video.playsInline = true;
  video.setAttribute("aria-label", _("Clip of how it began"));
  return video;
}

/** @param {HTMLElement} shown @param {string} text */
function captioned(shown, text) {
  const figure = document.createElement("figure");
  const caption = document.createElement("figcaption");
  caption.textContent = text;
  figure.append(shown, caption);
  return figure;
}
