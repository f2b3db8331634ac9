// The popup: is the server there, is this tab watched, what is in view.

import { byId, fillTexts } from "../shared/dom.js";
import { WELCOME_PAGE } from "../shared/paths.js";
import { load } from "../shared/settings.js";
import { isFirefox, isOn, needsPermission, patternOf, siteOf } from "../shared/sites.js";
import { say } from "../shared/words.js";
import { serverState } from "../transport/probe.js";
import { showPlayers } from "./players.js";
import { showSensitivity } from "./sensitivity.js";
import { told } from "./state.js";
import { listenToTabPicture, showTabPicture } from "./tab_picture.js";
import { showTraces } from "./traces.js";

/** @typedef {import("./state.js").Known} Known */

const REFRESH_MS = 700;
const ASK_AGAIN_MS = 3000;

/** @type {{tabId: number, site: string|null, lasting: boolean}} */
const here = { tabId: -1, site: null, lasting: false };
/** @type {Known} */
const known = { server: "", answer: "asking", web: true, on: false, entered: true, summaries: [], unreached: [] };

/** Whether the service worker has told of the tab. */
let reported = false;

async function findTab() {
  const [tab] = await chrome.tabs.query({ active: true, currentWindow: true });
  here.tabId = tab?.id ?? -1;
  here.site = siteOf(tab?.url);
  known.web = here.site !== null;
}

let turn = 0;
/** @type {ReturnType<typeof setTimeout>|undefined} */
let askTimer;

/** Ask the server how it is, and again every few seconds: it may go while the popup is open. */
async function askServer() {
  const mine = ++turn;
  clearTimeout(askTimer);
  const { server, token } = await load();
  known.server = server;
  show();
  const answer = await serverState(server, token);
  if (mine !== turn) return;
  known.answer = answer;
  show();
  askTimer = setTimeout(askServer, ASK_AGAIN_MS);
}

/** What the server answered may be of the past. */
function doubt() {
  known.answer = "asking";
  void askServer();
}

/** @param {Known["summaries"]} summaries */
function cutOff(summaries) {
  return summaries.filter(({ state }) => state === "no_server" || state === "not_authorised").length;
}

async function showTab() {
  const settings = await load();
  const report = await chrome.runtime.sendMessage({ type: "tab-report", tabId: here.tabId });
  // The service worker could not find out: what was known stays.
  if (!report?.summaries) return;
  here.lasting = isOn(settings, here.site);
  const lost = cutOff(report.summaries) > cutOff(known.summaries);
  Object.assign(known, {
    on: here.lasting || report.once,
    entered: report.entered,
    summaries: report.summaries,
    unreached: report.unreached,
  });
  reported = true;
  if (lost) doubt();
  show();
  // Nothing is offered for a tab that is not watched.
  showTabPicture({ ...report, unreached: known.on ? known.unreached : [] });
}

function show() {
  const { server, pair, tab, notes, players } = told(known);
  const line = byId("server", HTMLElement);
  line.dataset.state = server.tone;
  write(/** @type {HTMLElement} */ (line.querySelector(".text")), server.words);
  byId("pair-line", HTMLElement).hidden = !pair;
  // Of the tab nothing is said, nor can be clicked, before it is known.
  if (!reported) return;
  const watch = byId("watch", HTMLButtonElement);
  write(watch, say(known.on ? "watch_stop" : "watch_start"));
  watch.setAttribute("aria-pressed", String(known.on));
  watch.disabled = !known.web;
  const site = byId("site", HTMLInputElement);
  site.checked = here.lasting;
  site.disabled = !known.web;
  // Chromium lets a click last for as long as the tab stays on the site.
  const ends = isFirefox() && known.on && known.entered && !here.lasting;
  write(byId("watch-until", HTMLElement), ends ? say("watch_until_load") : "");
  write(byId("site-label", HTMLElement), say("watch_always", here.site ?? ""));
  write(byId("faces", HTMLElement), tab);
  write(byId("notes", HTMLElement), notes.join("\n"));
  showPlayers(players, allowPlayers);
}

/** Read out only what has changed. @param {HTMLElement} element @param {string} text */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

byId("watch", HTMLButtonElement).addEventListener("click", async () => {
  const on = !known.on;
  if (!on && here.lasting) return setSite(false);
  const done = await chrome.runtime.sendMessage({ type: "watch-tab", tabId: here.tabId, on });
  byId("watch-note", HTMLElement).textContent = done?.injected === false ? say("cannot_enter") : "";
  await showTab();
});

/**
 * Have the browser ask for a site. It asks only at once, while the click counts, and may close the
 * popup for it: the service worker is told beforehand what the answer is to be for.
 * @param {"site"|"players"} want
 * @param {string} site
 */
async function ask(want, site) {
  const question = { want, site, tabId: here.tabId };
  void chrome.runtime.sendMessage({ type: "about-to-ask", ...question });
  if (await chrome.permissions.request({ origins: [patternOf(site)] })) {
    await chrome.runtime.sendMessage({ type: "agreed", ...question });
  }
  await showTab();
}

/** @param {string} site */
function allowPlayers(site) {
  return ask("players", site);
}

/** @param {boolean} on */
async function setSite(on) {
  const { site, tabId } = here;
  if (site === null) return;
  if (on) return ask("site", site);
  await chrome.runtime.sendMessage({ type: "site-off", site, tabId });
  if (!needsPermission(await load(), site)) {
    await chrome.permissions.remove({ origins: [patternOf(site)] }).catch(() => false);
  }
  await showTab();
}

byId("site", HTMLInputElement).addEventListener("change", (event) =>
  setSite(/** @type {HTMLInputElement} */ (event.target).checked),
);

byId("settings", HTMLButtonElement).addEventListener("click", () => chrome.runtime.openOptionsPage());
byId("pair", HTMLButtonElement).addEventListener("click", () => {
  void chrome.tabs.create({ url: chrome.runtime.getURL(WELCOME_PAGE) });
});

listenToTabPicture(() => here.tabId, showTab);
chrome.storage.onChanged.addListener((changes, area) => {
  if (area === "local" && (changes.server || changes.token)) doubt();
});

fillTexts();
await findTab();
void showSensitivity(here.site);
void showTraces();
void askServer();
await showTab();
setInterval(showTab, REFRESH_MS);
