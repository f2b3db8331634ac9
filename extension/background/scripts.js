// Starts the content script on pages. The browser's permission is asked for each site elsewhere, for
// only a page with a click can ask; the script is registered for exactly those that were granted.

import { CONTENT_SCRIPT } from "../shared/paths.js";
import { load } from "../shared/settings.js";
import { patternsOf } from "../shared/sites.js";

const ID = "sites";

/** Make the registered content script agree with the settings and the permissions granted. */
export async function syncScripts() {
  const wanted = patternsOf(await load());
  const registered = await chrome.scripting.getRegisteredContentScripts({ ids: [ID] });
  const matches = [];
  for (const origin of wanted.matches) {
    if (await chrome.permissions.contains({ origins: [origin] })) matches.push(origin);
  }
  if (registered.length > 0) await chrome.scripting.unregisterContentScripts({ ids: [ID] });
  if (matches.length === 0) return;
  await chrome.scripting.registerContentScripts([
    {
      id: ID,
      js: [CONTENT_SCRIPT],
      matches,
      excludeMatches: wanted.excludeMatches,
      allFrames: true,
      matchOriginAsFallback: true,
      runAt: "document_idle",
      persistAcrossSessions: true,
    },
  ]);
}

/**
 * Start the content script in a tab that is open already.
 * @param {number} tabId
 * @returns {Promise<boolean>} false where the browser does not let extensions into the page itself
 */
export async function inject(tabId) {
  try {
    const target = { tabId, allFrames: true };
    const results = await chrome.scripting.executeScript({ target, files: [CONTENT_SCRIPT] });
    return results.some(({ frameId }) => frameId === 0);
  } catch {
    return false;
  }
}
