// Notifications, the sound, and the hours without them.

import { isTime } from "../notify/quiet.js";
import { byId } from "../shared/dom.js";
import { load, save } from "../shared/settings.js";

async function showQuiet() {
  const { quiet } = await load();
  byId("quiet", HTMLInputElement).checked = quiet.on;
  byId("quiet-from", HTMLInputElement).value = quiet.from;
  byId("quiet-to", HTMLInputElement).value = quiet.to;
  byId("quiet-times", HTMLElement).hidden = !quiet.on;
}

/** @param {Partial<import("../shared/settings.js").QuietHours>} change */
async function setQuiet(change) {
  const { quiet } = await load();
  await save({ quiet: { ...quiet, ...change } });
  await showQuiet();
}

export async function showWarnings() {
  const { notify, sound } = await load();
  byId("notify", HTMLInputElement).checked = notify;
  byId("sound", HTMLInputElement).checked = sound;
  await showQuiet();
}

byId("notify", HTMLInputElement).addEventListener("change", async (event) => {
  const box = /** @type {HTMLInputElement} */ (event.target);
  const permissions = /** @type {const} */ (["notifications"]);
  if (box.checked) box.checked = await chrome.permissions.request({ permissions: [...permissions] });
  else await chrome.permissions.remove({ permissions: [...permissions] }).catch(() => false);
  await save({ notify: box.checked });
});
byId("sound", HTMLInputElement).addEventListener("change", (event) =>
  save({ sound: /** @type {HTMLInputElement} */ (event.target).checked }),
);
byId("quiet", HTMLInputElement).addEventListener("change", (event) =>
  setQuiet({ on: /** @type {HTMLInputElement} */ (event.target).checked }),
);
for (const end of /** @type {const} */ (["from", "to"])) {
  byId(`quiet-${end}`, HTMLInputElement).addEventListener("change", (event) => {
    const { value } = /** @type {HTMLInputElement} */ (event.target);
    return setQuiet(isTime(value) ? { [end]: value } : {});
  });
}
