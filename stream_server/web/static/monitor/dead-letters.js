// What could not be delivered and was given up, to be sent anew by a person.

import { byId } from "../../extension/shared/dom.js";
import { deadLetters, replay, replayAll } from "./webhook-server.js";
import { moment, sentence, troubleWords } from "./words.js";

/** @type {Record<string, string>} */
const TYPES = { "incident.opened": "Incident opened", "incident.closed": "Incident over" };
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
      const tries = letter.attempts === 1 ? "1 try" : `${letter.attempts} tries`;
      const button = /** @type {HTMLButtonElement} */ (row.querySelector("button"));
      /** @type {HTMLElement} */ (row.querySelector(".what")).textContent = what;
      /** @type {HTMLElement} */ (row.querySelector(".address")).textContent = names.get(letter.webhook) ?? letter.webhook;
      /** @type {HTMLElement} */ (row.querySelector(".health")).textContent =
        `${sentence(letter.last_error)} Given up after ${tries}.`;
      button.setAttribute("aria-label", `Send anew: ${what}`);
      button.addEventListener("click", () => void send(() => replay(letter.id)));
      return row;
    }),
  );
}

/** @param {() => Promise<unknown>} ask */
async function send(ask) {
  try {
    await ask();
    byId("hook-said", HTMLElement).textContent = "On its way again.";
  } catch (error) {
    byId("hook-note", HTMLElement).textContent = troubleWords(error);
  }
  byId("hooks-title", HTMLElement).focus();
  changed();
}
