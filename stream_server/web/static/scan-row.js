// One file in the list of the page /scan.

import { icon } from "../extension/overlay/look.js";
import { shareWords, verdictWords } from "../extension/shared/words.js";

/** @typedef {import("./scan-server.js").Scan} Scan */

export class Row {
  /** @param {HTMLTemplateElement} template @param {string} name */
  constructor(template, name) {
    const copy = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
    this.element = /** @type {HTMLElement} */ (copy.firstElementChild);
    this.name = name;
    /** Whether it is still being sent, waiting or analysed. */
    this.open = true;
    /** @type {() => Promise<void>|void} */
    this.onDrop = () => {};
    this.part(".name").textContent = name;
    this.button.addEventListener("click", () => void this.onDrop());
    this.label("Cancel");
    this.sending(0);
  }

  /** @param {string} selector */
  part(selector) {
    return /** @type {HTMLElement} */ (this.element.querySelector(selector));
  }

  get button() {
    return /** @type {HTMLButtonElement} */ (this.part(".drop-it"));
  }

  get bar() {
    return /** @type {HTMLProgressElement} */ (this.part("progress"));
  }

  /** @param {number} share */
  sending(share) {
    this.say(`Uploading, ${Math.round(100 * share)} %`, "");
    this.progress(share, "Upload");
  }

  /** @param {Scan} scan */
  show(scan) {
    this.open = scan.status === "queued" || scan.status === "running";
    if (scan.status === "queued") {
      const ahead = scan.ahead ? `, ${scan.ahead} before it` : "";
      this.say(`Waiting${ahead}`, "");
      this.progress(0, "Analysis");
    } else if (scan.status === "running") {
      const left = scan.left_s === null ? "" : `, about ${duration(scan.left_s)} left`;
      this.say(`Analysing, ${Math.round(100 * scan.progress)} %${left}`, "");
      this.progress(scan.progress, "Analysis");
    } else {
      this.finished(scan);
    }
  }

  /** @param {Scan} scan */
  finished(scan) {
    this.bar.hidden = true;
    this.label("Remove");
    if (scan.status === "cancelled") return this.cancelled();
    const expires = scan.expires ? `Kept until ${new Date(1000 * scan.expires).toLocaleDateString()}.` : "";
    if (scan.status === "failed") {
      this.say("Not checked", [scan.detail && `${scan.detail}.`, expires].filter(Boolean).join(" "));
    } else {
      this.say(verdictOf(scan), [scan.detail, expires].filter(Boolean).join(" "));
      this.element.dataset.verdict = scan.verdict ?? "";
      this.part(".state").prepend(icon(scan.verdict ?? "not_enough_evidence"));
    }
    const link = /** @type {HTMLAnchorElement} */ (this.part(".report"));
    link.href = `v1/scans/${scan.id}/report.html`;
    link.setAttribute("aria-label", `Read the report on ${this.name}`);
    link.hidden = scan.status === "failed" && scan.verdict === null;
    const data = /** @type {HTMLAnchorElement} */ (this.part(".data"));
    data.href = `v1/scans/${scan.id}/report.json`;
    data.download = `${this.name}.json`;
    data.setAttribute("aria-label", `Download as JSON the report on ${this.name}`);
    data.hidden = link.hidden;
  }

  cancelled() {
    this.bar.hidden = true;
    this.label("Remove");
    this.say("Cancelled", "");
  }

  /** @param {string} why @param {() => void} away */
  refused(why, away) {
    this.open = false;
    this.bar.hidden = true;
    this.label("Remove");
    this.onDrop = away;
    if (why === "Cancelled") this.say("Cancelled", "");
    else this.say("Not taken", why);
  }

  /** @returns {string} for people who hear the page */
  spoken() {
    return `${this.name}: ${this.part(".state").textContent}. ${this.part(".detail").textContent}`;
  }

  /** @param {string} state @param {string} detail */
  say(state, detail) {
    this.part(".state").textContent = state;
    this.part(".detail").textContent = detail;
  }

  /** @param {number} share @param {string} what */
  progress(share, what) {
    this.bar.value = share;
    this.bar.setAttribute("aria-label", `${what} of ${this.name}`);
  }

  /** @param {string} text */
  label(text) {
    this.button.textContent = text;
    this.button.setAttribute("aria-label", `${text} ${this.name}`);
  }
}

/** @param {Scan} scan */
function verdictOf({ verdict, probability }) {
  const known = verdict ?? "not_enough_evidence";
  // Of a file that leans real a passage may look fake: what is beside this says so.
  const leansReal = known === "unsure" && (probability ?? 0) < 0.5;
  return [verdictWords(known, leansReal ? null : probability), shareWords(known, probability)].filter(Boolean).join(", ");
}

/** @param {number} seconds */
function duration(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  return `${Math.round(seconds / 60)} min`;
}
