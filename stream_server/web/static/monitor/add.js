// The form that adds a stream.

import { byId } from "../../extension/shared/dom.js";
import { addMonitor } from "./server.js";
import { troubleWords } from "./words.js";

/** @typedef {import("./server.js").Monitor} Monitor */

const form = byId("add", HTMLFormElement);
const opener = byId("add-open", HTMLButtonElement);
const closer = byId("add-close", HTMLButtonElement);
const url = byId("add-url", HTMLInputElement);
const note = byId("add-note", HTMLElement);

/** Open while there is nothing else to do here. @param {boolean} first whether nothing is watched yet */
export function offerFirst(first) {
  byId("first", HTMLElement).hidden = !first;
  closer.hidden = first;
  opener.hidden = first;
  if (first) open(true);
  else if (note.textContent === "" && url.value === "") open(false);
}

/** @param {boolean} shown */
function open(shown) {
  form.hidden = !shown;
  opener.setAttribute("aria-expanded", String(shown));
}

/** @param {(monitor: Monitor) => void} added */
export function listen(added) {
  opener.addEventListener("click", () => {
    open(form.hidden === true);
    if (!form.hidden) url.focus();
  });
  closer.addEventListener("click", () => {
    form.reset();
    note.textContent = "";
    open(false);
    opener.focus();
  });
  url.addEventListener("input", () => complain(""));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const name = byId("add-name", HTMLInputElement).value.trim();
    const evidence = byId("add-evidence", HTMLInputElement).checked;
    try {
      const monitor = await addMonitor({ url: url.value.trim(), evidence, ...(name ? { name } : {}) });
      form.reset();
      complain("");
      added(monitor);
      opener.focus();
    } catch (error) {
      complain(troubleWords(error));
      url.focus();
    }
  });
}

/** @param {string} text */
function complain(text) {
  note.textContent = text;
  url.setAttribute("aria-invalid", String(text !== ""));
}
