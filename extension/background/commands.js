// The shortcuts of the keyboard that the manifest names; a person may change the keys in the browser.

import { GO_TO_LABEL, goToLabel } from "./go_to_label.js";
import { toggleWatching } from "./watching.js";
import { TRACES_PAGE } from "../shared/paths.js";

/** @type {Record<string, (tab: chrome.tabs.Tab) => Promise<void>>} by their names in the manifest */
const COMMANDS = {
  [GO_TO_LABEL]: async ({ id }) => (id === undefined ? undefined : goToLabel(id)),
  watch: toggleWatching,
  list: () => openTraces(),
};

/** The page with the list: the tab that has it already, or a new one. */
export async function openTraces() {
  const url = chrome.runtime.getURL(TRACES_PAGE);
  const [known] = await chrome.runtime.getContexts({ contextTypes: ["TAB"], documentUrls: [url] }).catch(() => []);
  if (known) await chrome.tabs.update(known.tabId, { active: true });
  else await chrome.tabs.create({ url });
}

/** @param {string} command @param {chrome.tabs.Tab} [tab] older browsers do not tell */
export async function obey(command, tab) {
  const [front] = tab ? [tab] : await chrome.tabs.query({ active: true, lastFocusedWindow: true });
  if (front) await COMMANDS[command]?.(front);
}
