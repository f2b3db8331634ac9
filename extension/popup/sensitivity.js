// The popup's choice of a sensitivity for the site in front.

import { byId } from "../shared/dom.js";
import { SENSITIVITIES, load, save } from "../shared/settings.js";
import { withSensitivity } from "../shared/sites.js";
import { say } from "../shared/words.js";

/** @typedef {import("../shared/settings.js").Sensitivity} Sensitivity */

/** @param {string|null} site null where there is none to choose for */
export async function showSensitivity(site) {
  byId("sensitivity-part", HTMLElement).hidden = site === null;
  if (site === null) return;
  const select = byId("sensitivity", HTMLSelectElement);
  const { sensitivity, siteSensitivity } = await load();
  /** @type {Sensitivity|undefined} */
  const own = siteSensitivity[site];
  const everywhere = say("sensitivity_everywhere", say(`sensitivity_${sensitivity}`));
  byId("sensitivity-label", HTMLElement).textContent = say("sensitivity_on", new URL(site).hostname);
  select.replaceChildren(
    new Option(everywhere, "", false, own === undefined),
    ...SENSITIVITIES.map((level) => new Option(say(`sensitivity_${level}`), level, false, level === own)),
  );
  const help = () => {
    byId("sensitivity-help", HTMLElement).textContent = say(`sensitivity_${select.value || sensitivity}_help`);
  };
  select.addEventListener("change", async () => {
    help();
    const level = /** @type {Sensitivity|""} */ (select.value) || null;
    await save(withSensitivity(await load(), site, level));
    await chrome.runtime.sendMessage({ type: "sensitivity" });
  });
  help();
}
