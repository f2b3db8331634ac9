// One file in the list of the page /scan.

import { icon } from "../extension/overlay/look.js";
import { locale, partWords, shareWords, verdictWords } from "../extension/shared/words.js";
import { _ } from "./words.js";

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
    this.label(_("Cancel"), _("Cancel {file}", { file: name }));
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
    this.say(_("Uploading, {share}", { share: partWords(share) }), "");
    this.progress(share, _("Upload of {file}", { file: this.name }));
  }

  /** @param {Scan} scan */
  show(scan) {
    this.open = scan.status === "queued" || scan.status === "running";
    if (scan.status === "queued") {
      const { ahead } = scan;
      this.say(ahead ? _("Waiting, {count} before it", { count: ahead }) : _("Waiting"), "");
      this.progress(0, this.analysis);
    } else if (scan.status === "running") {
      const share = partWords(scan.progress);
      const left = scan.left_s === null ? "" : duration(scan.left_s);
      this.say(left ? _("Analysing, {share}, about {time} left", { share, time: left }) : _("Analysing, {share}", { share }), "");
      this.progress(scan.progress, this.analysis);
    } else {
      this.finished(scan);
    }
  }

  /** @param {Scan} scan */
  finished(scan) {
    this.bar.hidden = true;
    this.labelRemove();
    if (scan.status === "cancelled") return this.cancelled();
    const date = scan.expires ? new Date(1000 * scan.expires).toLocaleDateString(locale()) : "";
    const expires = date ? _("Kept until {date}.", { date }) : "";
    if (scan.status === "failed") {
      this.say(_("Not checked"), [scan.detail && `${scan.detail}.`, expires].filter(Boolean).join(" "));
    } else {
      this.say(verdictOf(scan), [scan.detail, expires].filter(Boolean).join(" "));
      this.element.dataset.verdict = scan.verdict ?? "";
      this.part(".state").prepend(icon(scan.verdict ?? "not_enough_evidence"));
    }
    const link = /** @type {HTMLAnchorElement} */ (this.part(".report"));
    link.href = `v1/scans/${scan.id}/report.html`;
    link.setAttribute("aria-label", _("Read the report on {file}", { file: this.name }));
    link.hidden = scan.status === "failed" && scan.verdict === null;
    const data = /** @type {HTMLAnchorElement} */ (this.part(".data"));
    data.href = `v1/scans/${scan.id}/report.json`;
    data.download = `${this.name}.json`;
    data.setAttribute("aria-label", _("Download as JSON the report on {file}", { file: this.name }));
    data.hidden = link.hidden;
  }

  cancelled() {
    this.bar.hidden = true;
    this.labelRemove();
    this.say(_("Cancelled"), "");
  }

  /** @param {string} why @param {() => void} away */
  refused(why, away) {
    this.open = false;
    this.bar.hidden = true;
    this.labelRemove();
    this.onDrop = away;
    if (why) this.say(_("Not taken"), why);
    else this.say(_("Cancelled"), "");
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
    this.bar.setAttribute("aria-label", what);
  }

  get analysis() {
    return _("Analysis of {file}", { file: this.name });
  }

  /** @param {string} text @param {string} spoken with the file's name in it */
  label(text, spoken) {
    this.button.textContent = text;
    this.button.setAttribute("aria-label", spoken);
  }

  labelRemove() {
    this.label(_("Remove"), _("Remove {file}", { file: this.name }));
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
