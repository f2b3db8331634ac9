// An offer to check a video that somebody has chosen to upload: a small card in a corner of the page, in
// a closed shadow root. The page has its file already and does with it what it wants.

import { videoAmong } from "./files.js";
import { serve } from "./serve.js";
import { CSS } from "./style.js";
import { keepFrom } from "../overlay/events.js";
import { applyStyle } from "../overlay/style.js";
import { say } from "../shared/words.js";

/** Everything important, so that no rule of the page reaches the host. */
const HOST_STYLE = "all:initial!important;position:fixed!important;z-index:2147483647!important;";
const LONGEST_NAME = 60;

/** @type {Offer|null} the one that is shown */
let shown = null;

/** @param {Iterable<File>} files that the page has received */
export async function offerFor(files) {
  const file = videoAmong(files);
  if (!file) return;
  const answer = await chrome.runtime.sendMessage({ type: "may-offer" });
  if (answer?.offer !== true) return;
  shown?.close();
  shown = new Offer(file);
}

/** Fakelight was turned off here. */
export function withdraw() {
  shown?.close();
}

class Offer {
  /** @param {File} file */
  constructor(file) {
    this.file = file;
    this.host = document.createElement("div");
    this.host.style.cssText = HOST_STYLE;
    const root = this.host.attachShadow({ mode: "closed" });
    applyStyle(root, document, CSS);
    this.card = document.createElement("div");
    this.card.className = "offer";
    this.card.setAttribute("role", "region");
    this.card.setAttribute("aria-label", say("name"));
    keepFrom(this.card);
    this.card.addEventListener("keydown", ({ key }) => {
      if (key === "Escape") this.close();
    });
    const heading = document.createElement("h2");
    heading.textContent = say("offer_title");
    this.words = document.createElement("p");
    this.words.setAttribute("role", "status");
    this.buttons = document.createElement("div");
    this.buttons.className = "buttons";
    this.buttons.append(
      button(say("offer_check"), "check", () => this.check()),
      button(say("offer_never"), "never", () => {
        void chrome.runtime.sendMessage({ type: "never-offer" });
        this.close();
      }),
    );
    const close = button("\u00d7", "close", () => this.close());
    close.setAttribute("aria-label", say("close"));
    this.card.append(heading, close, this.words, this.buttons);
    root.append(this.card);
    // What lies outside of a dialog of the page's takes no clicks while that is open.
    const parent = [...document.querySelectorAll("dialog:modal")].at(-1) ?? document.documentElement;
    parent.append(this.host);
    this.words.textContent = say("offer_text", shortened(file.name)); // once it is there, to be read out
  }

  /** The extension's own page fetches the file from here and sends it to the server. */
  async check() {
    this.buttons.hidden = true;
    this.words.textContent = say("offer_sending");
    const id = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    const { name, type, size } = this.file;
    const taken = serve(this.file, id);
    await chrome.runtime.sendMessage({ type: "check-upload", file: { id, name, type, size } });
    this.words.textContent = (await taken) ? say("offer_sent") : say("offer_failed");
  }

  close() {
    this.host.remove();
    if (shown === this) shown = null;
  }
}

/** @param {string} name */
function shortened(name) {
  return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME / 2)}…${name.slice(-LONGEST_NAME / 2)}` : name;
}

/** @param {string} words @param {string} kind @param {() => void} onClick */
function button(words, kind, onClick) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = kind;
  made.textContent = words;
  made.addEventListener("click", onClick);
  return made;
}
