// A face was told as likely fake: a notification and a sound where the person wants them, and a line in
// the list of what was flagged where that is turned on. Each once for a stretch of a video.

import { alarm } from "./alarm.js";
import { keyOf } from "../shared/flag.js";
import { bearer, request } from "../shared/request.js";
import { load } from "../shared/settings.js";
import { siteOf } from "../shared/sites.js";
import { change, keep } from "../traces/store.js";

/** @typedef {import("../shared/flag.js").Flag} Flag */
/** @typedef {chrome.runtime.MessageSender} Sender */

/** What a content script may send of a still, characters. */
const LONGEST_STILL = 2_000_000;

/**
 * @param {Flag} flag
 * @param {Sender} sender
 * @returns {Promise<{still: boolean, id: string}>} whether a picture of it is wanted, and by which id
 */
export async function flagged(flag, { tab, url }) {
  const settings = await load();
  const address = tab?.url ?? url ?? "";
  const stretch = { ...flag, key: await keyOf(address, flag.length) };
  const site = siteOf(address) ?? siteOf(url) ?? "";
  // Of a private window nothing is kept, nor named in what the system keeps of notifications.
  const isPrivate = tab?.incognito !== false;
  void alarm(stretch, { tabId: tab?.id ?? -1, site: isPrivate ? "" : site }, settings);
  if (!settings.traces || isPrivate) return { still: false, id: flag.id };
  const entry = await keep(stretch, async () => ({
    title: (tab.title ?? "").slice(0, 300),
    site,
    seenAt: Date.now(),
    extension: chrome.runtime.getManifest().version,
    server: await judgedBy(settings),
  }));
  return { still: entry.still === null, id: entry.id };
}

/** @param {string} id @param {unknown} still a JPEG as a data: address */
export async function keepStill(id, still) {
  if (typeof still !== "string" || still.length > LONGEST_STILL || !still.startsWith("data:image/jpeg;base64,")) return;
  if (!(await load()).traces) return; // turned off meanwhile
  const bytes = Uint8Array.from(atob(still.split(",")[1]), (letter) => letter.charCodeAt(0));
  await change(id, { still: new Blob([bytes], { type: "image/jpeg" }) });
}

/** @param {{server: string, token: string}} settings @returns {Promise<{version: string, models: string[]}|null>} */
async function judgedBy({ server, token }) {
  try {
    const answer = await request(`${server}/v1/info`, { headers: bearer(token) });
    const { version, models } = await answer.json();
    return { version: String(version), models: Array.isArray(models) ? models.map(String) : [] };
  } catch {
    return null; // it has gone since it judged
  }
}
