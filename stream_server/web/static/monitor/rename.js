// Asks what a stream is to be called.

import { byId } from "../../extension/shared/dom.js";
import { _ } from "../words.js";
import { answered } from "./dialog.js";

const dialog = byId("rename", HTMLDialogElement);
const field = byId("rename-name", HTMLInputElement);

byId("rename-no", HTMLButtonElement).addEventListener("click", () => dialog.close("no"));
field.addEventListener("input", () => field.setCustomValidity(field.value.trim() ? "" : _("A stream needs a name.")));

/**
 * @param {string} name what it is called now
 * @returns {Promise<string|null>} the new one, null where the person left it as it is
 */
export async function newName(name) {
  byId("rename-title", HTMLElement).textContent = _("Rename {stream}", { stream: name });
  field.value = name;
  field.setCustomValidity("");
  const answer = answered(dialog);
  field.select();
  const yes = await answer;
  const wanted = field.value.trim();
  return yes && wanted !== name ? wanted : null;
}
