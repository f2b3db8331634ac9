// Whoever is at one of the server's pages may let a browser in that asks for it, without digits.

import { byId } from "../extension/shared/dom.js";

const LOOK_EVERY_MS = 2000;
const PUT_OFF = "fakelight-put-off";
/** Those that were put off in this tab, on whichever page. @type {Set<string>} */
const putOff = new Set(JSON.parse(sessionStorage.getItem(PUT_OFF) ?? "[]"));
/** Who asks now. */
let asked = { id: "", origin: "" };
let looking = false;
/** @type {ReturnType<typeof setTimeout>|undefined} */
let timer;

/** From now on: the page has been let in itself. */
export function lookWhoAsks() {
  if (looking) return;
  looking = true;
  byId("let-in", HTMLButtonElement).onclick = letIn;
  byId("put-off", HTMLButtonElement).onclick = () => {
    putOff.add(asked.id);
    sessionStorage.setItem(PUT_OFF, JSON.stringify([...putOff]));
    void look();
  };
  document.onvisibilitychange = () => looking && !document.hidden && void look();
  void look();
}

async function look() {
  clearTimeout(timer);
  const answer = await fetch("v1/pairings/asked", { cache: "no-store" }).catch(() => null);
  /** @type {{id: string, origin: string}[]} */
  const waiting = answer?.ok ? await answer.json().catch(() => []) : [];
  const open = waiting.filter(({ id, origin }) => origin && !putOff.has(id));
  // One that comes later must not slip under a click that is meant for the one that is shown.
  asked = open.find(({ id }) => id === asked.id) ?? open[0] ?? { id: "", origin: "" };
  byId("asked-origin", HTMLElement).textContent = asked.origin;
  byId("asked", HTMLElement).hidden = !asked.id;
  // Let out again, it is told so elsewhere; and looks once it is let in.
  looking = answer?.status !== 401 && answer?.status !== 403;
  clearTimeout(timer);
  if (looking) timer = setTimeout(look, LOOK_EVERY_MS);
}

async function letIn() {
  const body = JSON.stringify({ allowed: true });
  const headers = { "Content-Type": "application/json" };
  await fetch(`v1/pairings/asked/${asked.id}`, { method: "PATCH", headers, body }).catch(() => null);
  await look();
}
