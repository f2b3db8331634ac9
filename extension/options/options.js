// The options page: server, pairing, sites, sensitivity.

import { AddressError, isLoopback, normaliseServer } from "../shared/address.js";
import { byId, fillTexts } from "../shared/dom.js";
import { PairingError, finishPairing, startPairing, unpair, waitToBeLetIn } from "../shared/pairing.js";
import { SENSITIVITIES, TRANSPORTS, load, save } from "../shared/settings.js";
import { needsPermission, patternOf, permissionForAll, withSensitivity, withoutSite } from "../shared/sites.js";
import { say } from "../shared/words.js";
import { serverState } from "../transport/probe.js";
import { showWarnings } from "./warnings.js";

/** @type {string|null} */
let pairingId = null;
/** Whether digits are on their way. */
let isSending = false;
/** Ends the waiting for a click on the server's page. */
let waiting = new AbortController();

/** @param {string} id @param {string} text @param {"trouble"|"calm"} tone */
function note(id, text, tone = "calm") {
  const element = byId(id, HTMLElement);
  element.textContent = text;
  element.dataset.tone = tone;
}

async function showServer() {
  const { server, token } = await load();
  byId("server", HTMLInputElement).value = server;
  note("pair-state", say("server_asking", server));
  const state = await serverState(server, token);
  note("pair-state", say(`server_${state}`, server), state === "ready" ? "calm" : "trouble");
  byId("unpair", HTMLButtonElement).hidden = token === "";
  byId("pair-start-box", HTMLElement).hidden = state === "ready";
}

/** A server elsewhere needs the browser's consent, which only a click can ask for. @param {string} server */
async function askForServer(server) {
  if (isLoopback(server)) return true;
  return chrome.permissions.request({ origins: [patternOf(`https://${new URL(server).hostname}`)] });
}

byId("server-form", HTMLFormElement).addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    const server = normaliseServer(byId("server", HTMLInputElement).value);
    if (!(await askForServer(server))) return note("server-note", say("server_no_permission"), "trouble");
    const before = await load();
    // A token belongs to the server that gave it and must not be sent to another.
    await save(before.server === server ? { server } : { server, token: "" });
    if (before.server !== server) waiting.abort(); // a click on the former one's page must not bring it back
    note("server-note", say("saved"));
    await showServer();
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    note("server-note", say(error.message), "trouble");
  }
});

/** @param {() => Promise<void>} step */
async function pairingStep(step) {
  try {
    note("pair-note", "");
    await step();
  } catch (error) {
    if (!(error instanceof PairingError)) throw error;
    note("pair-note", say(error.key, ...error.parts), "trouble");
    if (error.key === "pair_wrong") return;
    pairingId = null;
    byId("pair-form", HTMLElement).hidden = true;
    byId("pair-start-box", HTMLElement).hidden = false;
  }
}

byId("pair-start", HTMLButtonElement).addEventListener("click", () =>
  pairingStep(async () => {
    const { server } = await load();
    const { id, expires_s } = await startPairing(server);
    pairingId = id;
    byId("pair-form", HTMLElement).hidden = false;
    byId("pair-start-box", HTMLElement).hidden = true;
    const code = byId("code", HTMLInputElement);
    code.value = "";
    code.focus();
    note("pair-note", say("pair_look", String(Math.round(expires_s / 60))));
    waiting.abort();
    waiting = new AbortController();
    void waitForClick(server, id, waiting.signal);
  }),
);

/** @param {string} server @param {string} id @param {AbortSignal} signal */
async function waitForClick(server, id, signal) {
  // What is amiss is said to whoever types the digits.
  if (await waitToBeLetIn(server, id, signal).catch(() => false)) await paired();
}

async function paired() {
  waiting.abort();
  byId("pair-form", HTMLElement).hidden = true;
  note("pair-note", say("pair_done"));
  await showServer();
}

byId("pair-form", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  // A second Enter is no second try: the right digits are used up by the first.
  if (isSending) return;
  isSending = true;
  void pairingStep(async () => {
    const { server } = await load();
    const code = byId("code", HTMLInputElement);
    await finishPairing(server, pairingId ?? "", code.value).finally(() => code.select());
    await paired();
  }).finally(() => (isSending = false));
});

byId("unpair", HTMLButtonElement).addEventListener("click", async () => {
  await unpair();
  note("pair-note", say("unpaired"));
  await showServer();
});

byId("token-form", HTMLFormElement).addEventListener("submit", async (event) => {
  event.preventDefault();
  const field = byId("token", HTMLInputElement);
  await save({ token: field.value.trim() });
  field.value = "";
  note("pair-note", say("saved"));
  await showServer();
});

async function showSites() {
  const { allSites, onSites, offSites, playerSites, siteSensitivity, noOffers } = await load();
  byId("all-sites", HTMLInputElement).checked = allSites;
  /** @type {(site: string) => (settings: Lists) => Partial<Lists>} */
  const site = (one) => (settings) => withoutSite(settings, one);
  /** @type {(site: string) => (settings: Lists) => Partial<Lists>} */
  const players = (one) => (settings) => ({ playerSites: settings.playerSites.filter((other) => other !== one) });
  /** @type {(site: string) => (settings: Lists) => Partial<Lists>} */
  const ownLevel = (one) => (settings) => withSensitivity(settings, one, null);
  /** @type {(site: string) => (settings: Lists) => Partial<Lists>} */
  const noOffer = (one) => (settings) => ({ noOffers: settings.noOffers.filter((other) => other !== one) });
  byId("sites", HTMLUListElement).replaceChildren(
    ...onSites.map((one) => siteRow(one, say("site_is_on", one), site(one))),
    ...offSites.map((one) => siteRow(one, say("site_is_off", one), site(one))),
    ...playerSites.map((one) => siteRow(one, say("players_are_on", one), players(one))),
    ...Object.entries(siteSensitivity).map(([one, level]) =>
      siteRow(one, say("site_sensitivity", one, say(`sensitivity_${level}`)), ownLevel(one)),
    ),
    ...noOffers.map((one) => siteRow(one, say("site_no_offer", one), noOffer(one))),
  );
}

/** @typedef {Pick<import("../shared/settings.js").Settings, "onSites"|"offSites"|"playerSites"|"siteSensitivity"|"noOffers">} Lists */

/** @param {string} site @param {string} words @param {(settings: Lists) => Partial<Lists>} without */
function siteRow(site, words, without) {
  const row = document.createElement("li");
  const name = document.createElement("span");
  name.textContent = words;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = say("remove");
  button.addEventListener("click", async () => {
    await save(without(await load()));
    if (!needsPermission(await load(), site)) {
      await chrome.permissions.remove({ origins: [patternOf(site)] }).catch(() => false);
    }
    await chrome.runtime.sendMessage({ type: "sync-sites" });
    await chrome.runtime.sendMessage({ type: "sensitivity" });
    await showSites();
  });
  row.append(name, button);
  return row;
}

byId("all-sites", HTMLInputElement).addEventListener("change", async (event) => {
  const box = /** @type {HTMLInputElement} */ (event.target);
  const origins = permissionForAll();
  if (box.checked) box.checked = await chrome.permissions.request({ origins });
  else await chrome.permissions.remove({ origins }).catch(() => false);
  await chrome.runtime.sendMessage({ type: "set-all-sites", on: box.checked });
  await showSites();
});

async function showSensitivity() {
  const { sensitivity } = await load();
  showChoice("sensitivity", SENSITIVITIES, sensitivity, async (level) => {
    await save({ sensitivity: level });
    await chrome.runtime.sendMessage({ type: "sensitivity" });
  });
}

async function showAdvanced() {
  const { ownPicture, offers } = await load();
  byId("own-picture", HTMLInputElement).checked = ownPicture;
  byId("offers", HTMLInputElement).checked = offers;
}

byId("offers", HTMLInputElement).addEventListener("change", async (event) => {
  await save({ offers: /** @type {HTMLInputElement} */ (event.target).checked });
});
byId("traces", HTMLButtonElement).addEventListener("click", () => chrome.runtime.sendMessage({ type: "open-traces" }));

byId("own-picture", HTMLInputElement).addEventListener("change", async (event) => {
  const ownPicture = /** @type {HTMLInputElement} */ (event.target).checked;
  await save({ ownPicture });
  await chrome.runtime.sendMessage({ type: "own-picture", judged: ownPicture });
});

async function showTransport() {
  const { transport, cutOuts } = await load();
  showChoice("transport", TRANSPORTS, transport, (chosen) => save({ transport: chosen }));
  byId("cut-outs", HTMLInputElement).checked = cutOuts;
}

byId("cut-outs", HTMLInputElement).addEventListener("change", async (event) => {
  await save({ cutOuts: /** @type {HTMLInputElement} */ (event.target).checked });
});

/**
 * Radio buttons with their explanations.
 * @template {string} T
 * @param {string} name of the setting, its fieldset and its texts
 * @param {readonly T[]} values
 * @param {T} current
 * @param {(value: T) => Promise<void>} onChoice
 */
function showChoice(name, values, current, onChoice) {
  const rows = values.map((value) => {
    const label = document.createElement("label");
    label.className = "switch";
    const input = document.createElement("input");
    input.type = "radio";
    input.name = name;
    input.value = value;
    input.checked = value === current;
    input.addEventListener("change", () => onChoice(value));
    const text = document.createElement("span");
    text.textContent = `${say(`${name}_${value}`)}: ${say(`${name}_${value}_help`)}`;
    label.append(input, text);
    return label;
  });
  byId(name, HTMLFieldSetElement).replaceChildren(...rows);
}

fillTexts();
void showServer();
void showSites();
void showSensitivity();
void showAdvanced();
void showWarnings();
void showTransport();
