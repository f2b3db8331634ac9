// What the icon in the toolbar says: of a tab, and of videos that float over all tabs in a
// picture-in-picture window, where no page can draw. Signs and words besides the colours.

/** @typedef {import("../shared/states.js").Summary} Summary */
/** @typedef {import("../shared/states.js").Floating} Floating */
/** @typedef {{text: string, colour: string, title: string}} Sign */

/**
 * The same shapes as on a video: warning, question, ring, dots. White on each is read well.
 * @type {Readonly<Record<Floating, {text: string, colour: string}>>}
 */
const SIGNS = {
  likely_fake: { text: "!", colour: "#b34700" },
  unsure: { text: "?", colour: "#6b5f00" },
  likely_real: { text: "\u25cb", colour: "#1f5f8b" },
  not_enough_evidence: { text: "\u2026", colour: "#5b626c" },
  gathering: { text: "\u2026", colour: "#5b626c" },
};
/** From the weakest to the strongest. @type {readonly Floating[]} */
const ORDER = ["gathering", "not_enough_evidence", "likely_real", "unsure", "likely_fake"];

/**
 * @param {readonly Summary[]} summaries
 * @returns {Floating|null} the strongest word on a face in a picture-in-picture window
 */
function floatingVerdict(summaries) {
  return ORDER.findLast((verdict) => summaries.some(({ floating }) => floating === verdict)) ?? null;
}

/** @param {readonly Summary[]} summaries of one tab @returns {Sign|null} null where there is nothing to tell */
function signOf(summaries) {
  const floating = signOfFloating(summaries);
  if (floating || !summaries.some(({ fake }) => fake)) return floating;
  return { ...SIGNS.likely_fake, title: chrome.i18n.getMessage("spoken_fake") };
}

/** @param {readonly Summary[]} summaries of all tabs @returns {Sign|null} */
function signOfFloating(summaries) {
  const verdict = floatingVerdict(summaries);
  if (!verdict) return null;
  const word = chrome.i18n.getMessage(`verdict_${verdict}`);
  return { ...SIGNS[verdict], title: chrome.i18n.getMessage("floating_title", word) };
}

/**
 * @param {number} tabId
 * @param {readonly Summary[]} own of that tab
 * @param {readonly Summary[]} all of every tab: what floats is seen from each
 */
export async function showSigns(tabId, own, all) {
  const everywhere = signOfFloating(all);
  await chrome.action.setBadgeBackgroundColor({ color: everywhere?.colour ?? SIGNS.likely_fake.colour });
  await chrome.action.setBadgeText({ text: everywhere?.text ?? "" });
  await chrome.action.setTitle({ title: everywhere?.title ?? chrome.i18n.getMessage("name") });
  const sign = signOf(own);
  try {
    if (sign) await chrome.action.setBadgeBackgroundColor({ tabId, color: sign.colour });
    // Without a text of its own a tab shows what holds for all.
    await chrome.action.setBadgeText(/** @type {any} */ ({ tabId, text: sign?.text ?? null }));
    await chrome.action.setTitle({ tabId, title: sign?.title ?? everywhere?.title ?? chrome.i18n.getMessage("name") });
  } catch {
    // The tab was closed while the report was on its way.
  }
}
