// Asks before something is done that cannot be undone.

import { byId } from "../../extension/shared/dom.js";
import { answered } from "./dialog.js";

const dialog = byId("confirm", HTMLDialogElement);

/**
 * @param {{title: string, text: string, yes: string}} words
 * @returns {Promise<boolean>} whether the person said yes; Escape says no
 */
export function confirmed({ title, text, yes }) {
  byId("confirm-title", HTMLElement).textContent = title;
  byId("confirm-text", HTMLElement).textContent = text;
  byId("confirm-yes", HTMLButtonElement).textContent = yes;
  const answer = answered(dialog);
  // What changes nothing has the focus: Enter pressed by mistake does no harm.
  byId("confirm-no", HTMLButtonElement).focus();
  return answer;
}
