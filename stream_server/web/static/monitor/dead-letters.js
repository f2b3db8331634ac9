// What could not be delivered and was given up, to be sent anew by a person.

import { byId } from "../../extension/shared/dom.js";
import { _, _n } from "../words.js";
import { deadLetters, replay, replayAll } from "./webhook-server.js";
import { moment, sentence, troubleWords } from "./words.js";

/** @typedef {import("./webhook-server.js").Delivery} Letter */

/** @type {Record<string, string>} */
const TYPES = { "incident.opened": _("Incident opened"), "incident.closed": _("Incident over") };
const list = byId("dead", HTMLUListElement);
const all = byId("dead-all", HTMLButtonElement);
const template = byId("letter", HTMLTemplateElement);
/** By the letter's number: who is at one of their buttons stays there when others come or go. @type {Map<number, HTMLElement>} */
const rows = new Map();
/** @type {() => void} */
let changed = () => {};

all.addEventListener("click", () => void send(() => replayAll()));

/**
 * @param {Map<string, string>} names of the webhooks by their ids
 * @param {() => void} onChange something was sent anew
 */
export async function showDeadLetters(names, onChange) {
  changed = onChange;
  const letters = await deadLetters();
  byId("dead-part", HTMLElement).hidden = letters.length === 0;
  const there = new Set(letters.map(({ id }) => id));
  for (const [id, row] of rows) {
    if (there.has(id)) continue;
    row.remove();
    rows.delete(id);
  }
  letters.forEach((letter, index) => {
    const row = rows.get(letter.id) ?? made(letter);
    fill(row, letter, names.get(letter.webhook) ?? letter.webhook);
    if (list.children[index] !== row) list.insertBefore(row, list.children[index] ?? null);
  });
}

/** @param {Letter} letter @returns {HTMLElement} an empty row for it */
function made(letter) {
  const copy = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
  const row = /** @type {HTMLElement} */ (copy.firstElementChild);
  part(row, "button").addEventListener("click", () => void send(() => replay(letter.id)));
  rows.set(letter.id, row);
  return row;
}

/** @param {HTMLElement} row @param {Letter} letter @param {string} address */
function fill(row, letter, address) {
  const what = `${TYPES[letter.type] ?? letter.type}, ${moment(letter.created)}`;
  const tries = _n("Given up after {count} try.", "Given up after {count} tries.", letter.attempts);
  part(row, ".what").textContent = what;
  part(row, ".address").textContent = address;
  part(row, ".health").textContent = `${sentence(letter.last_error)} ${tries}`;
  part(row, "button").setAttribute("aria-label", _("Send anew: {what}", { what }));
}

/** @param {HTMLElement} row @param {string} selector */
function part(row, selector) {
  return /** @type {HTMLElement} */ (row.querySelector(selector));
}

/** @param {() => Promise<unknown>} ask */
async function send(ask) {
  try {
    await ask();
    byId("hook-said", HTMLElement).textContent = _("On its way again.");
  } catch (error) {
    byId("hook-note", HTMLElement).textContent = troubleWords(error);
  }
  byId("hooks-title", HTMLElement).focus();
  changed();
}
