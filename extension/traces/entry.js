// One entry of the list on its page: what was seen, and what can be done about it.

import { MOST_NOTE } from "./bounds.js";
import { sendMistake, takeBack } from "./mistakes.js";
import { copyReport } from "./report.js";
import { change, forget } from "./store.js";
import { placeOf, seenOf, titleOf, verdictOf } from "./words.js";
import { CheckError } from "../check/send.js";
import { say } from "../shared/words.js";

/** @typedef {import("./store.js").Entry} Entry */
/** @typedef {{server: string, token: string}} Target */

/** Anew each time, as the settings may have changed. @typedef {() => Promise<Target>} Settings */

/**
 * @param {Entry} entry
 * @param {Target} target the server that it can be sent to
 * @param {{settings: Settings, refresh: () => Promise<void>}} page
 * @returns {HTMLLIElement}
 */
export function entryElement(entry, target, { settings, refresh }) {
  const row = element("li", "trace");
  row.dataset.id = entry.id;
  const about = element("div", "about");
  about.append(
    element("h2", "", titleOf(entry)),
    element("p", "note", entry.site),
    element("p", "verdict", verdictOf(entry)),
    element("p", "place", placeOf(entry)),
    element("p", "note", seenOf(entry)),
  );
  const said = element("p", "said note");
  said.setAttribute("role", "status");
  const form = wrongForm(entry, target, (note, isSent) => act(() => mark(note, isSent)));
  const buttons = element("div", "line");
  let atWork = false;

  /**
   * One thing at a time: a second click would send the same mistake again.
   * @param {() => Promise<string|null>} work what is said then; null draws the list anew
   */
  async function act(work) {
    if (atWork) return;
    atWork = true;
    try {
      const words = await work();
      if (words === null) await refresh();
      else tell(words, "calm");
    } catch (error) {
      if (!(error instanceof CheckError)) throw error;
      tell(say(error.key, ...error.parts), "trouble");
    } finally {
      atWork = false;
    }
  }

  /** @param {string} words @param {"calm"|"trouble"} tone */
  function tell(words, tone) {
    said.dataset.tone = tone;
    said.textContent = words;
  }

  /** @param {string} note @param {boolean} isSent */
  async function mark(note, isSent) {
    await change(entry.id, { note });
    if (isSent) await change(entry.id, { sent: await sendMistake(entry, note, await settings()) });
    return null;
  }

  buttons.append(button(say("report_copy"), "copy", () => act(async () => say(`report_${await copyReport(entry)}`))));
  if (!entry.sent) {
    const open = button(say("wrong"), "wrong-open", () => {
      form.hidden = !form.hidden;
      open.setAttribute("aria-expanded", String(!form.hidden));
      if (!form.hidden) form.querySelector("textarea")?.focus();
    });
    open.setAttribute("aria-expanded", "false");
    buttons.append(open);
  } else {
    const { sent } = entry;
    const back = async () => {
      await takeBack(sent, await settings());
      await change(entry.id, { sent: null });
      return null;
    };
    buttons.append(button(say("wrong_take_back"), "take-back", () => act(back)));
  }
  buttons.append(
    button(say("delete"), "delete", () =>
      act(async () => {
        await forget(entry.id);
        return null;
      }),
    ),
  );
  tell(markedWords(entry), "calm");
  row.append(stillOf(entry), about, buttons, form, said);
  return row;
}

/**
 * A stretch that goes on, in its place: somebody may be at one of its buttons.
 * @param {Element} row
 * @param {Entry} entry
 */
export function updateEntry(row, entry) {
  for (const [kind, words] of [["verdict", verdictOf(entry)], ["place", placeOf(entry)]]) {
    const line = row.querySelector(`.${kind}`);
    if (line && line.textContent !== words) line.textContent = words;
  }
}

/** @param {Entry} entry what the person said of it before */
function markedWords({ note, sent }) {
  const lines = [];
  if (note !== null) lines.push(note ? say("wrong_said_note", note) : say("wrong_said"));
  if (sent) lines.push(say("wrong_sent", sent.server));
  return lines.join("\n");
}

/**
 * @param {Entry} entry
 * @param {Target} target
 * @param {(note: string, isSent: boolean) => Promise<void>} onDone
 */
function wrongForm({ id, note }, { server }, onDone) {
  const form = /** @type {HTMLFormElement} */ (element("form", "wrong"));
  form.hidden = true;
  const label = /** @type {HTMLLabelElement} */ (element("label", "", say("wrong_note")));
  const text = /** @type {HTMLTextAreaElement} */ (element("textarea", ""));
  text.id = `note-${id}`;
  label.htmlFor = text.id;
  text.maxLength = MOST_NOTE;
  text.value = note ?? "";
  const line = element("div", "line");
  const send = button(say("wrong_send", server), "send", () => onDone(text.value.trim(), true));
  send.classList.add("strong");
  line.append(button(say("wrong_keep"), "keep-here", () => onDone(text.value.trim(), false)), send);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.append(label, text, element("p", "note", say("wrong_send_help")), line);
  return form;
}

/** @param {Entry} entry the picture, drawn: the page may show no pictures by address */
function stillOf({ still }) {
  const box = element("div", "still");
  if (!still) {
    box.textContent = say("traces_no_still");
    return box;
  }
  const canvas = document.createElement("canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", say("traces_still"));
  box.append(canvas);
  void createImageBitmap(still).then((bitmap) => {
    [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
    canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
    bitmap.close();
  });
  return box;
}

/** @template {keyof HTMLElementTagNameMap} T @param {T} name @param {string} kind @param {string} [text] */
function element(name, kind, text = "") {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  made.textContent = text;
  return made;
}

/** @param {string} words @param {string} kind @param {() => void} onClick */
function button(words, kind, onClick) {
  const made = element("button", kind, words);
  made.type = "button";
  made.addEventListener("click", onClick);
  return made;
}
