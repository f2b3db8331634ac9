// Asks what a stream is to be called.

import { byId } from "../../extension/shared/dom.js";
import { _ } from "../words.js";

const dialog = byId("rename", HTMLDialogElement);
const field = byId("rename-name", HTMLInputElement);

byId("rename-no", HTMLButtonElement).addEventListener("click", () => dialog.close("no"));
field.addEventListener("input", () => field.setCustomValidity(field.value.trim() ? "" : _("A stream needs a name.")));

/**
 * @param {string} name what it is called now
 * @returns {Promise<string|null>} the new one, null where the person left it as it is
 */
export function newName(name) {
  byId("rename-title", HTMLElement).textContent = _("Rename {stream}", { stream: name });
  field.value = name;
  field.setCustomValidity("");
  dialog.returnValue = "no";
  dialog.showModal();
  field.select();
  return new Promise((resolve) => {
    dialog.addEventListener(
      "close",
      () => {
        const wanted = field.value.trim();
        resolve(dialog.returnValue === "yes" && wanted !== name ? wanted : null);
      },
      { once: true },
    );
  });
}
