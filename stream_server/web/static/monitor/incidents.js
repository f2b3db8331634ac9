// The list of incidents, newest first, a page at a time, with its filters.

import { icon } from "../../extension/overlay/look.js";
import { byId } from "../../extension/shared/dom.js";
import { percent, say } from "../../extension/shared/words.js";
import { _ } from "../words.js";
import { incidents } from "./server.js";
import { duration, incidentState, moment } from "./words.js";

/** @typedef {import("./server.js").Incident} Incident */
/** @typedef {import("./server.js").Monitor} Monitor */

const PAGE = 50;
const NONE_YET = _("None so far. When a face in a stream looks manipulated for a while, it is written down here.");
/** News come in bursts; the list is asked for anew once they pause. */
const SOON_MS = 300;
/** What goes on is asked for anew so often: its peak rises, and news of its end may have been lost. */
const ANEW_MS = 10_000;

const template = byId("incident", HTMLTemplateElement);
const list = byId("incidents", HTMLOListElement);
const byMonitor = byId("by-monitor", HTMLSelectElement);
const byState = byId("by-state", HTMLSelectElement);
const byTime = byId("by-time", HTMLSelectElement);
const older = byId("older", HTMLButtonElement);
const newer = byId("newer", HTMLButtonElement);

export class Incidents {
  /**
   * @param {object} needs
   * @param {(incident: Incident) => string} needs.streamOf what the stream of an incident is called
   * @param {(error: unknown) => void} needs.trouble
   */
  constructor({ streamOf, trouble }) {
    this.streamOf = streamOf;
    this.trouble = trouble;
    /** @type {Map<string, HTMLElement>} the rows that are shown, by the incident's id */
    this.rows = new Map();
    /** What this page and the newer ones before it begin after, null for the newest. @type {(Incident|null)[]} */
    this.starts = [null];
    /** What the next page begins after, null where there is none. @type {Incident|null} */
    this.end = null;
    this.asked = 0;
    /** When the last answer came, by the page's clock; Infinity while one is waited for. */
    this.answeredAt = 0;
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.timer = undefined;
    for (const choice of [byMonitor, byState, byTime]) {
      choice.addEventListener("change", () => void this.fromNewest());
    }
    byId("filters", HTMLFormElement).addEventListener("submit", (event) => event.preventDefault());
    older.addEventListener("click", () => {
      if (isOff(older) || this.end === null) return;
      this.starts.push(this.end);
      void this.fetch();
    });
    newer.addEventListener("click", () => {
      if (isOff(newer)) return;
      this.starts.pop();
      void this.fetch();
    });
    setInterval(() => this.tick(), 1000);
  }

  /** @param {Monitor[]} monitors to choose from */
  offer(monitors) {
    const chosen = byMonitor.value;
    const options = monitors.map(({ id, name }) => new Option(name, id, false, id === chosen));
    byMonitor.replaceChildren(new Option(_("All streams"), "", false, chosen === ""), ...options);
    if (byMonitor.value !== chosen) void this.fromNewest(); // the chosen one is gone
  }

  /** @param {string} monitor */
  choose(monitor) {
    byMonitor.value = monitor;
    byState.value = "";
    byTime.value = "";
    void this.fromNewest();
    byId("incidents-title", HTMLElement).focus();
  }

  async fromNewest() {
    this.starts = [null];
    await this.fetch();
  }

  /** There are others, or they have changed. */
  refresh() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.fetch(), SOON_MS);
  }

  /** @param {boolean} [quietly] without a word where it fails: it is tried again */
  async fetch(quietly = false) {
    const asked = ++this.asked;
    this.answeredAt = Infinity;
    const seconds = Number(byTime.value);
    const since = seconds ? Date.now() / 1000 - seconds : -Infinity;
    const after = this.starts[this.starts.length - 1];
    try {
      const found = await incidents({
        monitor: byMonitor.value,
        state: byState.value,
        before: after?.opened_at,
        before_id: after?.id,
        limit: PAGE + 1,
      });
      if (asked === this.asked) this.show(found.filter(({ opened_at }) => opened_at >= since));
    } catch (error) {
      if (asked === this.asked && !quietly) this.trouble(error);
    }
    if (asked === this.asked) this.answeredAt = performance.now();
  }

  /** @param {Incident[]} found one more than a page where there are older ones */
  show(found) {
    const page = found.slice(0, PAGE);
    this.end = found.length > PAGE ? page[PAGE - 1] : null;
    const before = this.rows;
    this.rows = new Map(page.map((incident) => [incident.id, before.get(incident.id) ?? this.made(incident)]));
    for (const incident of page) this.fill(/** @type {HTMLElement} */ (this.rows.get(incident.id)), incident);
    for (const [id, row] of before) if (!this.rows.has(id)) row.remove();
    // Rows stay where they are unless their place has changed: the one with the focus keeps it.
    [...this.rows.values()].forEach((row, index) => {
      if (list.children[index] !== row) list.insertBefore(row, list.children[index] ?? null);
    });
    const first = this.starts.length === 1;
    const filtered = byMonitor.value || byState.value || byTime.value;
    const none = filtered ? _("No incident is like that. Choose less narrowly to see others.") : NONE_YET;
    byId("no-incidents", HTMLElement).textContent = page.length ? "" : first ? none : _("There are no older ones.");
    byId("pages", HTMLElement).hidden = first && this.end === null;
    byId("page-of", HTMLElement).textContent = _("Page {number}", { number: this.starts.length });
    turnOff(newer, first);
    turnOff(older, this.end === null);
  }

  /** @param {Incident} incident @returns {HTMLElement} an empty row */
  made(incident) {
    const copy = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
    const row = /** @type {HTMLElement} */ (copy.firstElementChild);
    const link = /** @type {HTMLAnchorElement} */ (row.querySelector("a"));
    link.href = `#incident=${encodeURIComponent(incident.id)}`;
    return row;
  }

  /** @param {HTMLElement} row @param {Incident} incident */
  fill(row, incident) {
    row.dataset.verdict = incident.verdict;
    row.dataset.opened = incident.closed_at === null ? String(incident.opened_at) : "";
    row.toggleAttribute("data-wrong", incident.wrong);
    row.toggleAttribute("data-open", incident.closed_at === null);
    part(row, ".verdict").replaceChildren(icon(incident.verdict), say(`verdict_${incident.verdict}`));
    part(row, ".peak").textContent = percent(incident.peak);
    part(row, ".began").textContent = moment(incident.opened_at);
    part(row, ".lasted").textContent = lasted(incident.opened_at, incident.closed_at);
    part(row, ".marks").textContent = incidentState(incident);
    part(row, ".stream").textContent = this.streamOf(incident);
  }

  /** Those that go on grow longer. */
  tick() {
    let goesOn = false;
    for (const row of this.rows.values()) {
      const opened = Number(row.dataset.opened);
      if (!opened) continue;
      goesOn = true;
      part(row, ".lasted").textContent = lasted(opened, null);
    }
    if (goesOn && !document.hidden && performance.now() - this.answeredAt > ANEW_MS) void this.fetch(true);
  }
}

/** @param {number} opened @param {number|null} closed Unix seconds */
function lasted(opened, closed) {
  return duration((closed ?? Date.now() / 1000) - opened);
}

// Not `disabled`, which would drop the keyboard's place on the page.
/** @param {HTMLButtonElement} button @param {boolean} off */
function turnOff(button, off) {
  button.setAttribute("aria-disabled", String(off));
}

/** @param {HTMLButtonElement} button */
function isOff(button) {
  return button.getAttribute("aria-disabled") === "true";
}

/** @param {HTMLElement} row @param {string} selector */
function part(row, selector) {
  return /** @type {HTMLElement} */ (row.querySelector(selector));
}
