// The second step: the server lets this browser in, by a click on its own page or by six digits.

import { byId } from "../shared/dom.js";
import { PairingError, finishPairing, startPairing, waitToBeLetIn } from "../shared/pairing.js";
import { load } from "../shared/settings.js";
import { say } from "../shared/words.js";

/** New digits are asked for by themselves this often; then somebody has to want them. */
const MOST_ROUNDS = 5;

/** The digits that are on their way. @type {Promise<boolean>} whether they were right */
let typed = Promise.resolve(false);

/**
 * Nothing is asked of the server while nobody sees the page: digits hold for two minutes.
 * @param {AbortSignal} signal gives up
 * @returns {Promise<boolean>} whether it was let in
 */
export async function beLetIn(signal) {
  for (let round = 1; !signal.aborted; round++) {
    await seen(signal);
    if (round > MOST_ROUNDS) await clicked(signal);
    if (signal.aborted) break;
    try {
      if (await oneRound(signal)) return true;
    } catch (error) {
      if (!(error instanceof PairingError)) throw error;
      // Right digits use a pairing up: whoever waits for the click may hear of that first.
      if (await typed) return true;
      if (error.key === "pair_unreachable") return false;
      const isOver = error.key === "pair_expired";
      note(isOver ? say("let_in_new") : say(error.key, ...error.parts), isOver ? "calm" : "trouble");
      if (!isOver) await clicked(signal);
    }
  }
  return false;
}

/** @param {AbortSignal} signal @returns {Promise<boolean>} */
async function oneRound(signal) {
  const { server } = await load();
  const { id, expires_s } = await startPairing(server);
  showPage(false);
  byId("digits-words", HTMLElement).textContent = say("pair_look", String(Math.round(expires_s / 60)));
  const round = new AbortController();
  const either = AbortSignal.any([signal, round.signal]);
  try {
    return await Promise.race([waitToBeLetIn(server, id, either, showPage), byDigits(server, id, either)]);
  } finally {
    round.abort();
  }
}

/**
 * @param {string} server
 * @param {string} id
 * @param {AbortSignal} signal
 * @returns {Promise<boolean>} true once the right digits were typed; wrong ones may be typed again
 */
function byDigits(server, id, signal) {
  const form = byId("digits", HTMLFormElement);
  const code = byId("code", HTMLInputElement);
  code.value = "";
  typed = Promise.resolve(false);
  let isSending = false;
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => resolve(false));
    const send = async () => {
      try {
        note("");
        await finishPairing(server, id, code.value);
        resolve(true);
        return true;
      } catch (error) {
        code.select();
        if (!(error instanceof PairingError) || error.key !== "pair_wrong") reject(error);
        else note(say(error.key, ...error.parts), "trouble");
        return false;
      } finally {
        isSending = false;
      }
    };
    // Enter after the sixth digit is no second try.
    const enter = () => {
      if (isSending || !code.validity.valid || code.value === "") return;
      isSending = true;
      typed = send();
    };
    // The sixth digit says that all are there.
    code.addEventListener("input", () => code.value.length === 6 && enter(), { signal });
    form.addEventListener("submit", (event) => (event.preventDefault(), enter()), { signal });
  });
}

/** @param {boolean} open whether the server's own page is open somewhere */
function showPage(open) {
  const words = say(open ? "let_in_page_open" : "let_in_page");
  const line = byId("page-words", HTMLElement);
  if (line.textContent !== words) line.textContent = words;
}

/** @param {string} text @param {"trouble"|"calm"} [tone] */
function note(text, tone = "calm") {
  const element = byId("pair-note", HTMLElement);
  element.textContent = text;
  element.dataset.tone = tone;
}

/** @param {AbortSignal} signal @returns {Promise<void>} once the page is seen */
function seen(signal) {
  return new Promise((resolve) => {
    const look = () => (document.visibilityState === "visible" || signal.aborted) && resolve();
    document.addEventListener("visibilitychange", look, { signal });
    signal.addEventListener("abort", look);
    look();
  });
}

/** @param {AbortSignal} signal @returns {Promise<void>} once new digits are asked for */
async function clicked(signal) {
  const [button, waiting] = [byId("pair-again", HTMLButtonElement), byId("waiting", HTMLElement)];
  button.hidden = false;
  waiting.hidden = true;
  await new Promise((resolve) => {
    button.addEventListener("click", resolve, { once: true, signal });
    signal.addEventListener("abort", resolve);
  });
  button.hidden = true;
  waiting.hidden = false;
  note("");
}
