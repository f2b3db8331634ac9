// Getting in: the token of the printed link, or the ticket that the extension brings, becomes a cookie that scripts cannot read. And what
// the pages need besides: the words that they share with the extension.

import { parseAccuracy } from "../extension/protocol/messages.js";
import { accuracyWords, setWords } from "../extension/shared/words.js";
import { lookWhoAsks } from "./asked.js";
import { _, offerLanguages } from "./words.js";

/**
 * @typedef {object} Info what the server says of itself
 * @property {string} engine
 * @property {boolean} fallback
 * @property {number} sample_hz
 * @property {unknown} accuracy
 * @property {{fake: number, real: number}} thresholds of the probability
 */

/** @returns {Promise<string>} empty when it worked, else what went wrong in the server's words */
async function exchange(/** @type {{token: string}|{ticket: string}} */ means) {
  const answer = await fetch("v1/session", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(means),
  });
  if (answer.ok) return "";
  const problem = await answer.json().catch(() => ({}));
  return String(problem.detail ?? problem.title ?? _("The server answered {status}.", { status: answer.status }));
}

/** What the page's own address says after its `#`. */
export function named() {
  return new URLSearchParams(location.hash.slice(1));
}

/**
 * Use the token or ticket in the page's own address, if there is one, and remove it from there.
 * @returns {Promise<string>} what went wrong, or nothing
 */
export async function enterByLink() {
  const fields = named();
  const [token, ticket] = [fields.get("token"), fields.get("ticket")];
  fields.delete("token");
  fields.delete("ticket");
  const rest = fields.size > 0 ? `#${fields}` : "";
  if (token === null && ticket === null) return "";
  history.replaceState(null, "", location.pathname + location.search + rest);
  return exchange(ticket === null ? { token: token ?? "" } : { ticket });
}

/**
 * @param {HTMLFormElement} form
 * @param {HTMLElement} note
 * @param {() => void} entered
 */
export function askForToken(form, note, entered) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const field = /** @type {HTMLInputElement} */ (form.elements.namedItem("token"));
    const trouble = await exchange({ token: field.value.trim() }).catch(() => _("The server does not answer."));
    note.textContent = trouble;
    field.value = "";
    if (!trouble) entered();
  });
}

/** Let the extension's modules speak on this page, in its language. */
export async function fetchWords() {
  offerLanguages();
  const { lang } = document.documentElement;
  const words = await (await fetch(`extension/_locales/${lang}/messages.json`)).json();
  // The extension has options to be paired in; a page asks for the key itself.
  words.state_not_authorised = { message: _("Not let in yet: enter the key on this page") };
  setWords(words);
}

/** @returns {Promise<Info|"unauthorised"|"unreachable">} */
export async function askServer() {
  try {
    const answer = await fetch("v1/info", { cache: "no-store" });
    if (answer.status === 401 || answer.status === 403) return "unauthorised";
    if (!answer.ok) return "unreachable";
    lookWhoAsks();
    return await answer.json();
  } catch {
    return "unreachable";
  }
}

/** Say on the page how often the models were right. @param {Info|string} answer */
export function showAccuracy(answer) {
  const line = document.getElementById("accuracy");
  if (!line) return;
  line.textContent = typeof answer === "string" ? "" : accuracyWords(parseAccuracy(answer.accuracy));
  line.hidden = line.textContent === "";
}
