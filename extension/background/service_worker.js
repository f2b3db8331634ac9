// The service worker: hands out nonces, starts and stops content scripts, keeps the toolbar badge.
// It never touches a frame of video.

import { listenToNotices } from "./alarm.js";
import { check, checkUpload, offerCheck, takeJob } from "./check.js";
import { obey, openTraces } from "./commands.js";
import { answeredBy, forgetLost, keepConsent, mayEnter, noteQuestion } from "./consent.js";
import { flagged, keepStill } from "./flags.js";
import { Nonces } from "./nonces.js";
import { mayOffer, neverOffer } from "./offers.js";
import { inject, syncScripts } from "./scripts.js";
import {
  broughtToFront,
  closedFrames,
  endPicture,
  forgetPicture,
  framePlace,
  isGone,
  openPicture,
  pictureOf,
  shotOf,
  targetChanged,
} from "./tab_capture.js";
import { forgetGone, record, summaries, update } from "./tabs.js";
import { tell, tellAll } from "./tell.js";
import { survey } from "./unreachable.js";
import { isOnce, isWatched, siteOfTab, turnSiteOff, watchTab } from "./watching.js";
import { MOST_VIDEOS } from "../shared/limits.js";
import { OFFSCREEN_PAGE, OWN_PAGES, RELAY_FRAME, WELCOME_PAGE } from "../shared/paths.js";
import { load, protectStorage, save } from "../shared/settings.js";
import { isOn, sensitivityOn, siteOf } from "../shared/sites.js";
import { isSeen } from "../shared/tab_picture.js";

/** @typedef {chrome.runtime.MessageSender} Sender */
/** @typedef {import("./consent.js").Question} Question */

/** States of videos for which something is sent or soon will be: the others take no place from anybody. */
const AT_WORK = new Set(["connecting", "open", "watching", "busy"]);
const nonces = new Nonces();
const relayFrame = chrome.runtime.getURL(RELAY_FRAME);
const offscreenPage = chrome.runtime.getURL(OFFSCREEN_PAGE);
const ownPages = OWN_PAGES.map((folder) => chrome.runtime.getURL(folder));

void protectStorage();

/**
 * Messages that each kind of context may send; anything else is ignored.
 * @type {Record<"content"|"relay"|"offscreen"|"page", Record<string, (message: any, sender: Sender) => Promise<unknown>>>}
 */
const handlers = {
  content: {
    nonce: async (_, { tab, frameId }) => ({ nonce: nonces.issue(tab?.id ?? -1, frameId ?? 0) }),
    "content-settings": contentSettings,
    "tab-state": async (message, { tab, frameId }) => {
      await update(tab?.id ?? -1, (known) => {
        const frames = { ...known.frames, [String(frameId)]: message.summaries };
        if (message.summaries.length === 0) delete frames[String(frameId)];
        return { ...known, frames };
      });
    },
    "closed-frames": async (_, { tab }) => (tab?.id === undefined ? [] : closedFrames(tab.id)),
    "tab-gone": async (_, { tab }) => {
      const tabId = tab?.id ?? -1;
      if (await isGone(tabId)) await endAndTell(tabId, "lost");
      return pictureOf(tabId);
    },
    flag: async ({ flag }, sender) => flagged(flag, sender),
    "flag-still": async ({ id, still }) => keepStill(id, still),
    "may-offer": async (_, sender) => mayOffer(sender),
    "never-offer": async (_, sender) => neverOffer(sender),
    "check-upload": async ({ file }, sender) => checkUpload(file, sender),
    // A frame has come, or shows another document: no event of the tab tells so in every browser.
    "frame-loaded": async (_, { tab }) => {
      if (tab?.id !== undefined && (await isWatched(tab.id, tab.url))) await inject(tab.id);
    },
  },
  relay: {
    redeem: async (message, { tab }) => ({ ok: nonces.redeem(message.nonce, tab?.id ?? -1) }),
  },
  offscreen: {
    target: async () => {
      const { server, token, transport, cutOuts } = await load();
      return { server, token, transport, cutOuts };
    },
    "tab-shot": async ({ tabId }) => shotOf(tabId),
    "frame-place": async ({ tabId, frameId }) => framePlace(tabId, frameId),
    "tab-lost": async ({ tabId }) => endAndTell(tabId, "lost"),
    "tab-idle": async ({ tabId }) => endAndTell(tabId, "off"),
  },
  page: {
    "tab-report": async ({ tabId }) => {
      const found = await survey(tabId, (await load()).offSites);
      if (found) await forgetGone(tabId, found.frameIds);
      const tab = await record(tabId);
      return {
        once: isOnce(tab, await siteOfTab(tabId)),
        summaries: summaries(tab),
        entered: found !== null,
        unreached: found?.unreached ?? [],
        picture: await pictureOf(tabId),
      };
    },
    "tab-picture": async ({ tabId, on, scale }) => {
      if (!on) return endAndTell(tabId, "off");
      await tell(tabId, { type: "tab-picture", picture: await openPicture(tabId, scale) });
    },
    "watch-tab": async ({ tabId, on }) => ({ injected: await watchTab(tabId, on) }),
    "about-to-ask": async (message) => noteQuestion(message),
    agreed: async (message) => turnOn(message),
    "site-off": async ({ site, tabId }) => turnSiteOff(site, tabId),
    "check-job": async ({ id }) => takeJob(id),
    "sync-sites": syncScripts,
    "set-all-sites": async ({ on }) => {
      await save({ allSites: on });
      await syncScripts();
    },
    sensitivity: tellSensitivity,
    "open-traces": openTraces,
    "own-picture": async ({ judged }) => tellAll({ type: "own-picture", judged }),
  },
};

chrome.runtime.onMessage.addListener((message, sender, answer) => {
  const kind = kindOf(sender);
  const handler = kind && Object.hasOwn(handlers[kind], message?.type) && handlers[kind][message.type];
  if (!handler) return false;
  handler(message, sender).then(answer, (error) => answer({ error: String(error) }));
  return true;
});

/**
 * The browser fills in the sender, so a page or a content script cannot pass for another kind.
 * @param {Sender} sender
 * @returns {"content"|"relay"|"offscreen"|"page"|null}
 */
function kindOf(sender) {
  if (sender.id !== chrome.runtime.id || !sender.url) return null;
  if (sender.url === relayFrame) return sender.tab ? "relay" : null;
  if (sender.url === offscreenPage) return sender.tab ? null : "offscreen";
  if (ownPages.some((folder) => sender.url?.startsWith(folder))) return "page";
  return sender.tab ? "content" : null;
}

/** @param {unknown} _ @param {Sender} sender */
async function contentSettings(_, sender) {
  const settings = await load();
  const tab = await record(sender.tab?.id ?? -1);
  const top = siteOf(sender.tab?.url);
  // Of a sandboxed frame the origin is "null", and its address says whose it is.
  const own = siteOf(sender.origin) ?? siteOf(sender.url);
  const site = top ?? own;
  const once = isOnce(tab, top);
  // A script that was started in another site's frame outlives the permission to start it.
  const embedded = own !== null && own !== top;
  const barred = settings.offSites.includes(own ?? "") || (embedded && !(await mayEnter(own)));
  const on = (once && !embedded) || ((once || isOn(settings, site)) && !barred);
  const others = Object.entries(tab.frames).filter(([frame]) => frame !== String(sender.frameId));
  const busy = others.flatMap(([, known]) => known).filter(({ state }) => AT_WORK.has(state)).length;
  const picture = await pictureOf(sender.tab?.id ?? -1);
  const { ownPicture } = settings;
  const sensitivity = sensitivityOn(settings, site);
  // To its page a tab whose picture is had seems to be seen, wherever it is.
  const inFront = !isSeen(picture) || sender.tab?.active !== false;
  return { on: on && busy < MOST_VIDEOS, sensitivity, ownPicture, picture, inFront };
}

/** @param {number} tabId @param {"off"|"lost"} picture why the look at the tab's picture ends */
async function endAndTell(tabId, picture) {
  await endPicture(tabId, picture);
  await tell(tabId, { type: "tab-picture", picture });
}

/** A click on one site is no leave to look at the next. @param {number} tabId @param {string|undefined} url */
async function endOnOtherSite(tabId, url) {
  const { picture, pictureSite } = await record(tabId);
  const site = siteOf(url);
  if (isSeen(picture) && (site === null || site !== pictureSite)) await endAndTell(tabId, "lost");
}

/**
 * Start watching what the browser has just been asked for. The popup and the browser both tell of
 * an answer, whichever is there: twice does no harm.
 * @param {Question} question
 */
async function turnOn(question) {
  const { want, tabId } = question;
  await keepConsent(question);
  await syncScripts();
  if (want === "site") await update(tabId, (known) => ({ ...known, once: null }));
  await inject(tabId);
}

/** Every tab by its own site: one may have another than the rest. */
async function tellSensitivity() {
  const settings = await load();
  for (const { id, url } of await chrome.tabs.query({})) {
    if (id !== undefined) await tell(id, { type: "sensitivity", sensitivity: sensitivityOn(settings, siteOf(url)) });
  }
}

chrome.tabs.onUpdated.addListener((tabId, change, { url }) => {
  if (change.status === "loading") {
    void endOnOtherSite(tabId, url);
    // A new page, or a step within one: what still lives answers and is counted again.
    void update(tabId, (known) => ({ ...known, frames: {} })).then(() => tell(tabId, { type: "report" }));
  }
  if (change.status !== "complete") return;
  void isWatched(tabId, url).then(async (watched) => {
    // On a site that is on, its own frames have their script already, but players of other sites not.
    const lost = watched ? !(await inject(tabId)) : (await record(tabId)).once !== null;
    if (lost) await update(tabId, () => null);
  });
});
chrome.tabs.onRemoved.addListener((tabId) => {
  void forgetPicture(tabId);
  void update(tabId, () => null);
});
chrome.tabs.onActivated.addListener(async ({ tabId }) => {
  await tell(tabId, { type: "front", front: true });
  // Their pages cannot tell.
  for (const other of await broughtToFront(tabId)) await tell(other, { type: "front", front: false });
});
chrome.storage.onChanged.addListener((changes, area) => {
  if (area !== "local") return;
  if (changes.server || changes.token || changes.transport || changes.cutOuts) void targetChanged();
});
chrome.commands.onCommand.addListener((command, tab) => void obey(command, tab));
listenToNotices();
chrome.contextMenus.onClicked.addListener((info, tab) => void check(info, tab));
chrome.runtime.onInstalled.addListener(({ reason }) => {
  if (reason === "install") void chrome.tabs.create({ url: chrome.runtime.getURL(WELCOME_PAGE) });
  offerCheck();
  void syncScripts();
});
chrome.runtime.onStartup.addListener(() => void syncScripts());
chrome.permissions.onAdded.addListener(async ({ origins }) => {
  listenToNotices(); // there may be some from now on
  const question = await answeredBy(origins ?? []);
  if (question) await turnOn(question);
  else await syncScripts();
});
chrome.permissions.onRemoved.addListener(async () => {
  await forgetLost();
  await syncScripts();
  await tellAll({ type: "check" });
});
