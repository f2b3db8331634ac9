// Fills the texts of an extension page from _locales.

/** @param {string} key @param {...string} parts */
export function say(key, ...parts) {
  return chrome.i18n.getMessage(key, parts) || key;
}

export function fillTexts() {
  for (const element of document.querySelectorAll("[data-say]")) {
    element.textContent = say(element.getAttribute("data-say") ?? "");
  }
  document.documentElement.lang = chrome.i18n.getUILanguage();
}

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} kind
 * @returns {T}
 */
export function byId(id, kind) {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`no ${kind.name} with id ${id}`);
  return element;
}
