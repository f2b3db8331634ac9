// The small sign in the corner of the video while there is no face to label.

import { say } from "../shared/words.js";

/** @typedef {import("../shared/states.js").State} State */

/** These are said for as long as they hold, and busy even beside a face's label. */
const LASTING = ["busy", "waiting"];
/** After this long a sign that only says "no face" folds to a dot. */
const FOLD_AFTER_MS = 5000;

/** @type {Readonly<Record<State, "quiet"|"trouble">>} */
export const TONES = {
  watching: "quiet",
  own: "quiet",
  still: "quiet",
  paused: "quiet",
  connecting: "quiet",
  open: "quiet",
  busy: "quiet",
  waiting: "quiet",
  full: "trouble",
  no_server: "trouble",
  not_authorised: "trouble",
  refused: "trouble",
  altered: "trouble",
  protected: "trouble",
  black: "trouble",
  unreadable: "trouble",
  sandboxed: "trouble",
  offered: "trouble",
  offered_closed: "trouble",
  tab_lost: "trouble",
};

/** @param {State} state @param {string} detail */
function wordsOf(state, detail) {
  if (detail && state === "refused") return detail;
  if (detail && state === "waiting") return say("waiting_while", detail);
  return say(`state_${state}`);
}

export class Badge {
  /** @param {HTMLElement} corner of the stage, which it shares with other signs */
  constructor(corner) {
    this.element = document.createElement("div");
    this.element.className = "badge";
    this.element.setAttribute("role", "status");
    const light = document.createElement("span");
    light.className = "light";
    this.text = document.createElement("span");
    this.text.className = "text";
    this.element.append(light, this.text);
    this.element.hidden = true;
    corner.append(this.element);
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
   * @param {string} detail the server's own words, where it refused; how many wait for their turn
   * @param {boolean} faces whether any face is labelled now
   * @returns {boolean} whether the sign has changed
   */
  tell(state, detail, faces) {
    const key = `${state} ${detail} ${faces} ${this.note}`;
    if (key === this.shown) return false;
    this.shown = key;
    clearTimeout(this.timer);
    this.element.removeAttribute("data-folded");
    const silent = faces && state !== "busy";
    this.element.hidden = state === "paused" || (silent && !this.note);
    if (this.element.hidden) return true;
    this.element.dataset.state = state;
    this.element.dataset.tone = TONES[state];
    const words = silent ? "" : wordsOf(state, detail);
    this.text.textContent = [words, this.note].filter(Boolean).join(". ");
    if (TONES[state] === "quiet" && !LASTING.includes(state) && !this.note) {
      this.timer = setTimeout(() => this.element.setAttribute("data-folded", ""), FOLD_AFTER_MS);
    }
    return true;
  }

  remove() {
    clearTimeout(this.timer);
    this.element.remove();
  }
}
