// What could not be delivered and was given up, to be sent anew by a person.

import { byId } from "../../extension/shared/dom.js";
import { _, _n } from "../words.js";
import { deadLetters, replay, replayAll } from "./webhook-server.js";
import { moment, sentence, troubleWords } from "./words.js";

/** @type {Record<string, string>} */
const TYPES = { "incident.opened": _("Incident opened"), "incident.closed": _("Incident over") };
const list = byId("dead", HTMLUListElement);
const all = byId("dead-all", HTMLButtonElement);
const template = byId("letter", HTMLTemplateElement);
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
  list.replaceChildren(
    ...letters.map((letter) => {
      const copy = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
      const row = /** @type {HTMLElement} */ (copy.firstElementChild);
      const what = `${TYPES[letter.type] ?? letter.type}, ${moment(letter.created)}`;
      const tries = _n("Given up after {count} try.", "Given up after {count} tries.", letter.attempts);
      const button = /** @type {HTMLButtonElement} */ (row.querySelector("button"));
      /** @type {HTMLElement} */ (row.querySelector(".what")).textContent = what;
      /** @type {HTMLElement} */ (row.querySelector(".address")).textContent = names.get(letter.webhook) ?? letter.webhook;
      /** @type {HTMLElement} */ (row.querySelector(".health")).textContent =
        `${sentence(letter.last_error)} ${tries}`;
      button.setAttribute("aria-label", _("Send anew: {what}", { what }));
      button.addEventListener("click", () => void send(() => replay(letter.id)));
      return row;
    }),
  );
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
