// The popup's part about players out of reach: whose they are, and a button for each site that can
// be asked for.

import { byId } from "../shared/dom.js";
import { say } from "../shared/words.js";

/** @typedef {import("./state.js").Told} Told */

let shown = "";

/**
 * @param {Told["players"]} players
 * @param {(site: string) => Promise<void>} onAsk called by a click
 */
export function showPlayers(players, onAsk) {
  // Only what has changed: a button that is made anew under the pointer takes no click.
  const told = JSON.stringify(players);
  if (told === shown) return;
  shown = told;
  const { words, ask } = players;
  byId("players", HTMLElement).hidden = words === "";
  byId("players-words", HTMLElement).textContent = words;
  byId("players-help", HTMLElement).textContent = ask.length > 0 ? say("players_help") : "";
  byId("players-buttons", HTMLElement).replaceChildren(
    ...ask.map(({ site, words: label }) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "strong";
      button.dataset.site = site;
      button.textContent = label;
      button.addEventListener("click", () => onAsk(site));
      return button;
    }),
  );
}
