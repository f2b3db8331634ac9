// The page of the list of what was flagged.

import { MOST_ENTRIES } from "./bounds.js";
import { entryElement, updateEntry } from "./entry.js";
import { clear, entries } from "./store.js";
import { byId, fillTexts } from "../shared/dom.js";
import { load, save } from "../shared/settings.js";
import { say } from "../shared/words.js";

const LOOK_EVERY_MS = 2000;

/** @type {Map<string, {told: string, row: Element}>} by the id of the entry; what has not changed is left alone */
let rows = new Map();
let turns = 0;

/** @param {() => boolean} isWelcome asked before anything on the page changes */
async function show(isWelcome = () => true) {
  const turn = ++turns;
  const [settings, list] = [await load(), await entries()];
  // Overtaken by a later look, which knows better; and what may be drawn can have changed while it was read.
  if (turn !== turns || !isWelcome()) return;
  byId("keep", HTMLInputElement).checked = settings.traces;
  byId("clear", HTMLButtonElement).hidden = list.length === 0;
  const empty = settings.traces ? say("traces_none") : say("traces_off");
  byId("empty", HTMLElement).textContent = list.length === 0 ? empty : "";
  const before = rows;
  rows = new Map(list.map((entry) => [entry.id, rowOf(entry, settings, before.get(entry.id))]));
  const shown = [...rows.values()].map(({ row }) => row);
  const place = byId("entries", HTMLOListElement);
  if (shown.some((row, at) => place.children[at] !== row) || place.children.length !== shown.length) {
    place.replaceChildren(...shown);
  }
}

/**
 * @param {import("./store.js").Entry} entry
 * @param {import("../shared/settings.js").Settings} settings
 * @param {{told: string, row: Element}|undefined} known
 */
function rowOf(entry, settings, known) {
  const { note, sent, still } = entry;
  const told = JSON.stringify([note, sent, still !== null, settings.server]);
  if (known?.told !== told) return { told, row: entryElement(entry, settings, { settings: load, refresh: show }) };
  updateEntry(known.row, entry);
  return known;
}

/** Not under a note that is being written: a row that comes or goes would take its focus. */
function isQuiet() {
  return !document.querySelector("form.wrong:not([hidden])");
}

byId("keep", HTMLInputElement).addEventListener("change", async (event) => {
  await save({ traces: /** @type {HTMLInputElement} */ (event.target).checked });
  await show();
});
byId("clear", HTMLButtonElement).addEventListener("click", async () => {
  await clear();
  await show();
});

fillTexts();
document.title = `${say("traces_open")} - ${say("name")}`;
byId("keep-help", HTMLElement).textContent = say("traces_keep_help", String(MOST_ENTRIES));
void show();
setInterval(() => isQuiet() && void show(isQuiet), LOOK_EVERY_MS);
