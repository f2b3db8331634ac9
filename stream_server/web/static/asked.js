// Whoever is at this page may let a browser in that asks for it, without digits.

import { byId } from "../extension/shared/dom.js";

const LOOK_EVERY_MS = 2000;
/** Those that were put off here. @type {Set<string>} */
const putOff = new Set();
/** Who asks now. */
let asked = { id: "", origin: "" };
/** @type {ReturnType<typeof setTimeout>|undefined} */
let timer;

/** Look who asks, again and again, from now on: the page has been let in itself. */
export async function showAsked() {
  clearTimeout(timer);
  timer = setTimeout(showAsked, LOOK_EVERY_MS);
  /** @type {{id: string, origin: string}[]} */
  const waiting = await fetch("v1/pairings/asked", { cache: "no-store" })
    .then((answer) => (answer.ok ? answer.json() : []))
    .catch(() => []);
  asked = waiting.find(({ id, origin }) => origin && !putOff.has(id)) ?? { id: "", origin: "" };
  const box = byId("asked", HTMLElement);
  byId("asked-origin", HTMLElement).textContent = asked.origin;
  if (box.hidden !== !asked.id) box.hidden = !asked.id;
}

byId("let-in", HTMLButtonElement).addEventListener("click", async () => {
  await fetch(`v1/pairings/asked/${asked.id}`, {
    method: "PATCH",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ allowed: true }),
  }).catch(() => {});
  await showAsked();
});
byId("put-off", HTMLButtonElement).addEventListener("click", () => {
  putOff.add(asked.id);
  void showAsked();
});
document.addEventListener("visibilitychange", () => timer !== undefined && !document.hidden && void showAsked());
