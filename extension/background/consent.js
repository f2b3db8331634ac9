// What the person was asked for by the browser, and what became of it. Browsers close the popup when
// their own question comes up, so the popup says beforehand what it is about to ask for, and the
// answer is dealt with here. A permission can also be taken back in the browser's own pages.

import { load, save } from "../shared/settings.js";
import { ALL_SITES, patternOf, withPlayers, withSite } from "../shared/sites.js";

/**
 * site: watch it always; players: watch its players where they are embedded
 * @typedef {{want: "site"|"players", site: string, tabId: number}} Question
 */

const KEY = "question";

/** @param {Question} question that the browser is about to be asked */
export async function noteQuestion({ want, site, tabId }) {
  await chrome.storage.session.set({ [KEY]: { want, site, tabId } });
}

/**
 * @param {string[]} granted match patterns
 * @returns {Promise<Question|null>} the question that was answered with them
 */
export async function answeredBy(granted) {
  const question = /** @type {Question|undefined} */ ((await chrome.storage.session.get(KEY))[KEY]);
  if (!question || !granted.includes(patternOf(question.site))) return null;
  await chrome.storage.session.remove(KEY);
  return question;
}

/** Keep what was agreed to. @param {Question} question */
export async function keepConsent({ want, site }) {
  const settings = await load();
  await save(want === "site" ? withSite(settings, site, true) : withPlayers(settings, site));
}

/** Nothing stays turned on for which there is no permission any more. */
export async function forgetLost() {
  const { allSites, onSites, playerSites } = await load();
  /** @param {string[]} sites */
  const kept = async (sites) => {
    const permitted = await Promise.all(sites.map((site) => mayEnter(site)));
    return sites.filter((_, index) => permitted[index]);
  };
  const all = allSites && (await chrome.permissions.contains({ origins: [...ALL_SITES] }));
  await save({ allSites: all, onSites: await kept(onSites), playerSites: await kept(playerSites) });
}

/** @param {string} site @returns {Promise<boolean>} whether the browser has been asked for it, and agreed */
export function mayEnter(site) {
  return chrome.permissions.contains({ origins: [patternOf(site)] });
}
