// The small sign in the corner of the video while there is no face to label.

import { say } from "../shared/words.js";

/** @typedef {import("../shared/states.js").State} State */

/** After this long a sign that only says "no face" folds to a dot. */
const FOLD_AFTER_MS = 5000;

/** @type {Readonly<Record<State, "quiet"|"trouble">>} */
export const TONES = {
  watching: "quiet",
  paused: "quiet",
  connecting: "quiet",
  open: "quiet",
  no_server: "trouble",
  not_authorised: "trouble",
  refused: "trouble",
  altered: "trouble",
  protected: "trouble",
  black: "trouble",
  unreadable: "trouble",
  sandboxed: "trouble",
  offered: "trouble",
  tab_lost: "trouble",
};

export class Badge {
  /** @param {HTMLElement} stage */
  constructor(stage) {
    this.element = document.createElement("div");
    this.element.className = "badge";
    this.element.setAttribute("role", "status");
    const light = document.createElement("span");
    light.className = "light";
    this.text = document.createElement("span");
    this.text.className = "text";
    this.element.append(light, this.text);
    this.element.hidden = true;
    stage.append(this.element);
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.timer = undefined;
    this.shown = "";
    this.note = "";
  }

  /** @param {string} note stands beside the labels of faces as well; empty for none */
  setNote(note) {
    this.note = note;
  }

  /**
   * @param {State} state
   * @param {string} detail the server's own words, where it refused
   * @param {boolean} faces whether any face is labelled now
   */
  tell(state, detail, faces) {
    const key = `${state} ${detail} ${faces} ${this.note}`;
    if (key === this.shown) return;
    this.shown = key;
    clearTimeout(this.timer);
    this.element.removeAttribute("data-folded");
    this.element.hidden = (faces && !this.note) || state === "paused";
    if (this.element.hidden) return;
    this.element.dataset.state = state;
    this.element.dataset.tone = TONES[state];
    const words = detail && state === "refused" ? detail : say(`state_${state}`);
    this.text.textContent = [faces ? "" : words, this.note].filter(Boolean).join(". ");
    if (this.note) return;
    if (TONES[state] === "quiet") {
      this.timer = setTimeout(() => this.element.setAttribute("data-folded", ""), FOLD_AFTER_MS);
    }
  }

  remove() {
    clearTimeout(this.timer);
    this.element.remove();
  }
}
