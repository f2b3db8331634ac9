// Whether a page's file picker that receives a video is offered a check.

import { load, save } from "../shared/settings.js";
import { siteOf } from "../shared/sites.js";

/** @typedef {chrome.runtime.MessageSender} Sender */

/** The files of this computer, which are of no site: one place, as a site is one. */
const FILES = "file://";

/** @param {Sender} sender */
function siteFor({ tab, url, origin }) {
  const site = siteOf(tab?.url) ?? siteOf(origin) ?? siteOf(url);
  // A frame that a page writes itself has neither: its url is about:srcdoc or about:blank.
  const isFile = [tab?.url, origin, url].some((one) => one?.startsWith(FILES));
  return site ?? (isFile ? FILES : null);
}

/** @param {Sender} sender @returns {Promise<{offer: boolean}>} */
export async function mayOffer(sender) {
  const { offers, noOffers, token } = await load();
  return { offer: offers && token !== "" && !noOffers.includes(siteFor(sender) ?? "") };
}

/** @param {Sender} sender on whose site it is not to be offered again */
export async function neverOffer(sender) {
  const { noOffers } = await load();
  const site = siteFor(sender);
  if (site !== null && !noOffers.includes(site)) await save({ noOffers: [...noOffers, site] });
}
