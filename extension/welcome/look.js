// The first step: look for the server until it is there, and say meanwhile how to get it.

import { DEFAULTS, load, save } from "../shared/settings.js";
import { byId } from "../shared/dom.js";
import { say } from "../shared/words.js";
import { serverState } from "../transport/probe.js";
import { START_LINE, installLine, systemOf } from "./lines.js";

/** @typedef {import("../transport/probe.js").ServerState} ServerState */

const LOOK_EVERY_MS = 1000;
/** Only after so many looks in vain is it said how to get it: one that runs is found by the first. */
const PATIENCE = 2;

/**
 * @param {AbortSignal} signal gives up
 * @returns {Promise<ServerState|null>} how the server that was found stands to this browser
 */
export async function lookForServer(signal) {
  for (let looks = 1; !signal.aborted; looks++) {
    const { server, token } = await load();
    const { host } = new URL(server);
    tell(looks > PATIENCE ? say("look_waits", host) : say("server_asking", host), "asking");
    const state = await serverState(server, token);
    if (signal.aborted) return null;
    if (state === "ready" || state === "unpaired" || state === "rejected") return state;
    if (state === "strange") tell(say("server_strange", host), "trouble");
    byId("get", HTMLElement).hidden = looks < PATIENCE;
    byId("look-other", HTMLElement).hidden = !(await isElsewhere(server));
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  return null;
}

/** Whether a server answers at the usual address while another is set. @param {string} server */
async function isElsewhere(server) {
  return server !== DEFAULTS.server && (await serverState(DEFAULTS.server, "")) === "unpaired";
}

/** @param {string} words @param {"asking"|"trouble"} state */
function tell(words, state) {
  const line = byId("look-state", HTMLElement);
  line.dataset.state = state;
  const text = /** @type {HTMLElement} */ (line.querySelector(".text"));
  if (text.textContent !== words) text.textContent = words;
}

/** Fill in how this system gets it. */
export async function showLines() {
  const system = systemOf((await chrome.runtime.getPlatformInfo()).os);
  const line = installLine(system);
  byId("get-how", HTMLElement).textContent = say(line ? "get_how" : "get_nowhere");
  byId("get-note", HTMLElement).textContent = line ? say(`get_${system}`) : "";
  if (line) byId("get-line", HTMLElement).replaceChildren(...copied(line));
  byId("start-line", HTMLElement).replaceChildren(...copied(START_LINE));
  byId("look-settings", HTMLButtonElement).addEventListener("click", () => chrome.runtime.openOptionsPage());
  // A token belongs to the server that gave it.
  byId("look-use", HTMLButtonElement).addEventListener("click", () => save({ server: DEFAULTS.server, token: "" }));
}

/** @param {string} line @returns {HTMLElement[]} the line, and a button that copies it */
function copied(line) {
  const code = document.createElement("code");
  code.textContent = line;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = say("copy");
  button.setAttribute("aria-label", say("copy_line", line));
  const told = document.createElement("span");
  told.className = "unseen";
  told.setAttribute("role", "status");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(line);
    button.textContent = told.textContent = say("copied");
    setTimeout(() => (button.textContent = say("copy")), 2000);
  });
  return [code, button, told];
}
