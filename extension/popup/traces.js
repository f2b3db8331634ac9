// The popup's way to the list of what was flagged.

import { byId } from "../shared/dom.js";
import { say } from "../shared/words.js";
import { entries } from "../traces/store.js";

export async function showTraces() {
  const button = byId("traces", HTMLButtonElement);
  button.addEventListener("click", async () => {
    await chrome.runtime.sendMessage({ type: "open-traces" });
    close();
  });
  const { length } = await entries();
  if (length > 0) button.textContent = say("traces_open_count", String(length));
}
