// The popup: is the server there, is this tab watched, what is in view.

import { byId, fillTexts } from "../shared/dom.js";
import { SENSITIVITIES, load, save } from "../shared/settings.js";
import { isOn, patternOf, siteOf } from "../shared/sites.js";
import { say } from "../shared/words.js";
import { serverState } from "../transport/probe.js";
import { listenToTabPicture, showTabPicture } from "./tab_picture.js";

/** @typedef {import("../shared/settings.js").Sensitivity} Sensitivity */
/** @typedef {import("../shared/states.js").Summary} Summary */

const REFRESH_MS = 700;

/** @type {{tabId: number, site: string|null, embedded: string[]}} */
const here = { tabId: -1, site: null, embedded: [] };

async function findTab() {
  const [tab] = await chrome.tabs.query({ active: true, currentWindow: true });
  here.tabId = tab?.id ?? -1;
  here.site = siteOf(tab?.url);
}

/** Embedded players of other sites need a permission of their own; find them before the click. */
async function findEmbedded() {
  const found = await chrome.scripting
    .executeScript({
      target: { tabId: here.tabId },
      func: () =>
        [...document.querySelectorAll("iframe")]
          .filter((frame) => frame.clientWidth >= 200 && frame.clientHeight >= 110)
          .map((frame) => frame.src),
    })
    .catch(() => []);
  const sites = (found[0]?.result ?? []).map((address) => siteOf(address));
  here.embedded = [...new Set(sites)].filter((site) => site !== null && site !== here.site).map(String);
}

async function showServer() {
  const line = byId("server", HTMLElement);
  const text = /** @type {HTMLElement} */ (line.querySelector(".text"));
  const { server, token } = await load();
  text.textContent = say("server_asking", server);
  const state = await serverState(server, token);
  line.dataset.state = state === "ready" ? "ready" : "trouble";
  text.textContent = say(`server_${state}`, server);
  byId("pair-line", HTMLElement).hidden = state !== "unpaired" && state !== "rejected";
}

async function showTab() {
  const settings = await load();
  const report = await chrome.runtime.sendMessage({ type: "tab-report", tabId: here.tabId });
  const lasting = isOn(settings, here.site);
  const watch = byId("watch", HTMLButtonElement);
  const on = lasting || report.once;
  watch.textContent = say(on ? "watch_stop" : "watch_start");
  watch.setAttribute("aria-pressed", String(on));
  watch.disabled = here.site === null;
  const site = byId("site", HTMLInputElement);
  site.checked = lasting;
  site.disabled = here.site === null;
  byId("site-label", HTMLElement).textContent = say("watch_always", here.site ?? "");
  byId("faces", HTMLElement).textContent = describe(on, report.summaries);
  showTabPicture(report);
}

/** @param {boolean} on @param {Summary[]} summaries */
function describe(on, summaries) {
  if (here.site === null) return say("not_a_web_page");
  if (!on) return say("not_watched");
  if (summaries.length === 0) return say("no_video");
  const faces = summaries.reduce((sum, { faces: count }) => sum + count, 0);
  if (summaries.some(({ fake }) => fake)) return faces === 1 ? say("face_fake") : say("faces_fake", String(faces));
  const trouble = summaries.find(({ state }) => state !== "watching");
  if (faces === 0 && trouble) return say(`state_${trouble.state}`);
  return faces === 0 ? say("state_watching") : say(faces === 1 ? "face_in_view" : "faces_in_view", String(faces));
}

byId("watch", HTMLButtonElement).addEventListener("click", async (event) => {
  const on = /** @type {HTMLElement} */ (event.currentTarget).getAttribute("aria-pressed") !== "true";
  const lasting = isOn(await load(), here.site);
  if (!on && lasting) return setSite(false);
  const done = await chrome.runtime.sendMessage({ type: "watch-tab", tabId: here.tabId, on });
  byId("watch-note", HTMLElement).textContent = done?.injected === false ? say("cannot_enter") : "";
  await showTab();
});

/** @param {boolean} on */
async function setSite(on) {
  const { site, tabId, embedded } = here;
  if (site === null) return;
  if (on) {
    // Asked at once, while the click still counts as one.
    const sites = [site, ...embedded];
    if (!(await chrome.permissions.request({ origins: sites.map(patternOf) }))) return showTab();
  }
  await chrome.runtime.sendMessage({ type: "set-site", site, on, tabId });
  const { allSites } = await load();
  if (!on && !allSites) await chrome.permissions.remove({ origins: [patternOf(site)] }).catch(() => false);
  await showTab();
}

byId("site", HTMLInputElement).addEventListener("change", (event) =>
  setSite(/** @type {HTMLInputElement} */ (event.target).checked),
);

async function showSensitivity() {
  const select = byId("sensitivity", HTMLSelectElement);
  const { sensitivity } = await load();
  select.replaceChildren(
    ...SENSITIVITIES.map((level) => new Option(say(`sensitivity_${level}`), level, false, level === sensitivity)),
  );
  const help = () => {
    byId("sensitivity-help", HTMLElement).textContent = say(`sensitivity_${select.value}_help`);
  };
  select.addEventListener("change", async () => {
    const level = /** @type {Sensitivity} */ (select.value);
    help();
    await save({ sensitivity: level });
    await chrome.runtime.sendMessage({ type: "sensitivity", sensitivity: level });
  });
  help();
}

for (const id of ["open-options", "settings"]) {
  byId(id, HTMLButtonElement).addEventListener("click", () => chrome.runtime.openOptionsPage());
}

listenToTabPicture(() => here.tabId, showTab);
fillTexts();
void showServer();
void showSensitivity();
await findTab();
await showTab();
void findEmbedded();
setInterval(showTab, REFRESH_MS);
