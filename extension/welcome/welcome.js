// The page that opens after the installation: find the server, be let in, see a warning.

import { byId, fillTexts } from "../shared/dom.js";
import { load } from "../shared/settings.js";
import { say } from "../shared/words.js";
import { beLetIn } from "./let_in.js";
import { lookForServer, showLines } from "./look.js";
import { Sample } from "./sample.js";

/** @typedef {"look"|"pair"|"sample"} Step */
/** @type {readonly Step[]} */
const STEPS = ["look", "pair", "sample"];

/** Ends what is under way: the settings have changed. */
let turn = new AbortController();
/** @type {Step|null} */
let shown = null;
/** The server's page, where this page opened it. @type {number|undefined} */
let serverTab;
const sample = new Sample(() => (byId("after", HTMLElement).hidden = false));

/** @param {Step} step */
function show(step) {
  if (shown === step) return;
  const first = shown === null;
  shown = step;
  const place = STEPS.indexOf(step);
  for (const [index, name] of STEPS.entries()) {
    byId(name, HTMLElement).hidden = name !== step;
    const item = /** @type {HTMLElement} */ (document.querySelector(`#steps [data-step="${name}"]`));
    item.classList.toggle("done", index < place);
    if (name === step) item.setAttribute("aria-current", "step");
    else item.removeAttribute("aria-current");
  }
  document.title = `${say(`welcome_step_${step}`)} \u2013 ${say("name")}`;
  // Whoever does not see the step change hears its title; at first the page begins with its own.
  if (!first) byId(`${step}-title`, HTMLElement).focus();
}

async function run() {
  turn.abort();
  turn = new AbortController();
  const { signal } = turn;
  for (show("look"); !signal.aborted; show("look")) {
    const state = await lookForServer(signal);
    if (state === null) return;
    if (state !== "ready") {
      show("pair");
      if (!(await beLetIn(signal))) continue;
      await comeBack();
    }
    show("sample");
    if (await sample.prepare()) return;
  }
}

/** From the server's page, where the click was. */
async function comeBack() {
  const own = await chrome.tabs.getCurrent();
  if (own?.id !== undefined) await chrome.tabs.update(own.id, { active: true });
  if (serverTab !== undefined) await chrome.tabs.remove(serverTab).catch(() => {});
  serverTab = undefined;
}

byId("open-page", HTMLButtonElement).addEventListener("click", async () => {
  const { server } = await load();
  serverTab = (await chrome.tabs.create({ url: `${server}/` })).id;
});
byId("settings", HTMLButtonElement).addEventListener("click", () => chrome.runtime.openOptionsPage());
byId("done", HTMLButtonElement).addEventListener("click", async () => {
  const own = await chrome.tabs.getCurrent();
  if (own?.id !== undefined) await chrome.tabs.remove(own.id);
});
chrome.storage.onChanged.addListener((changes, area) => {
  if (area !== "local") return;
  // A token that comes is what the second step waits for.
  if (changes.server || (changes.token && !changes.token.newValue)) {
    sample.stop();
    void run();
  }
});

fillTexts();
void showLines();
void run();
