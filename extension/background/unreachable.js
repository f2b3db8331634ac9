// Frames of a tab that hold a player and that the extension has no way into: another site's, for
// which the browser wants the person's permission, and those for whose origin nobody can be asked.
// The frames that can be entered tell which frames they hold; one of those that does not answer is
// out of reach. No permission beyond the frames' own is needed for that.

import { SMALLEST } from "../shared/limits.js";
import { patternOf, siteOf } from "../shared/sites.js";

/** @typedef {{x: number, y: number, width: number, height: number}} Rect CSS pixels */
/** @typedef {{width: number, height: number}} Size */
/**
 * @typedef {object} Held an element that holds a frame
 * @property {number} place its number among the window's frames, -1 for frames in a shadow root,
 *     which have none
 * @property {string} url that it was asked to show; it may have gone on from there
 * @property {boolean} sandboxed whether its document is of no origin
 * @property {Rect} box where its content is, in the window of the frame that holds it
 */
/**
 * @typedef {object} FrameReport what a frame tells of itself
 * @property {number[]} path from the tab's page down, the place of each frame in the one around it
 * @property {string} origin "null" for documents of no origin
 * @property {string} url
 * @property {Size} window
 * @property {Rect} view the part of the window that is shown: all of it, unless it is pinched larger
 * @property {Held[]} held
 */
/** @typedef {{frameId: number, report: FrameReport}} Answer */
/**
 * ask: the browser can be asked for its site; off: it can be entered, and its site is turned off;
 * closed: its document is of no origin (sandboxed), for which nobody can be asked; elsewhere: it has gone
 * on to a site that cannot be told
 * @typedef {"ask"|"off"|"closed"|"elsewhere"} Why
 */
/**
 * @typedef {object} Unreached a frame as large as a player in which nothing can be watched
 * @property {Why} why
 * @property {string|null} site null where there is none, or none that can be told
 * @property {Rect} rect of its content in the tab's window, as the frames around it lay it out
 * @property {Rect|null} visible the part of it within all the windows around it; null where it is
 *     scrolled out of view
 * @property {number|null} frameId where it can be entered all the same: a document of no origin
 */
/** @typedef {{frameId: number, rect: Rect, visible: Rect|null}} Entered a frame below the tab's page that can be entered */
/**
 * @typedef {object} Survey
 * @property {number[]} frameIds of the frames that can be entered
 * @property {Rect} view the part of the tab's window that is shown
 * @property {Unreached[]} unreached those in view first, the largest first
 * @property {Entered[]} entered
 */

/** Wider or higher than players are: banners, side columns, buttons. */
const FLATTEST = 3.2;
const SLIMMEST = 0.4;

/**
 * @param {number} tabId
 * @param {string[]} offSites turned off by the person
 * @returns {Promise<Survey|null>} null where the browser does not let extensions into the page
 */
export async function survey(tabId, offSites) {
  const answers = await ask(tabId);
  const top = answers.find(({ frameId }) => frameId === 0);
  if (!top) return null;
  /** @type {Entered[]} */
  const entered = [];
  const found = await Promise.all(unreached(answers, offSites, entered).map(settled));
  return {
    frameIds: answers.map(({ frameId }) => frameId),
    view: top.report.view,
    entered,
    unreached: found.sort((a, b) => areaOf(b.visible) - areaOf(a.visible) || areaOf(b.rect) - areaOf(a.rect)),
  };
}

/** @param {number} tabId @returns {Promise<Answer[]>} */
async function ask(tabId) {
  try {
    const target = { tabId, allFrames: true };
    const results = await chrome.scripting.executeScript({ target, func: lookAround, injectImmediately: true });
    return results.flatMap(({ frameId, result }) => (result ? [{ frameId, report: result }] : []));
  } catch {
    return [];
  }
}

/** @param {Unreached} frame @returns {Promise<Unreached>} */
async function settled(frame) {
  if (frame.why !== "ask" || frame.site === null) return frame;
  // There is a permission and still no answer: its document has come from elsewhere.
  const permitted = await chrome.permissions.contains({ origins: [patternOf(frame.site)] });
  return permitted ? { ...frame, why: "elsewhere", site: null } : frame;
}

/**
 * @param {Answer[]} answers
 * @param {string[]} offSites
 * @param {Entered[]} [entered] the frames that were entered on the way are put in here
 * @returns {Unreached[]}
 */
export function unreached(answers, offSites, entered = []) {
  const waiting = new Set(answers);
  /** @type {Unreached[]} */
  const found = [];
  /**
   * @param {Answer} answer
   * @param {(box: Rect) => Rect} toTab
   * @param {Rect} view what of its window is in view
   */
  const enter = ({ report }, toTab, view) => {
    for (const element of report.held) {
      const rect = toTab(element.box);
      const visible = common(rect, view);
      const inside = take(waiting, [...report.path, element.place], element);
      const why = whyNot(element, inside, offSites);
      if (why && isPlayerLike(element.box)) {
        found.push({ ...why, rect, visible, frameId: inside?.frameId ?? null });
      }
      if (inside) entered.push({ frameId: inside.frameId, rect, visible });
      // One without an origin is told of as a whole, whatever it holds.
      if (!inside || why?.why === "closed") continue;
      const { width, height } = inside.report.window;
      const [across, down] = [rect.width / (width || 1), rect.height / (height || 1)];
      enter(
        inside,
        (box) => ({
          x: rect.x + box.x * across,
          y: rect.y + box.y * down,
          width: box.width * across,
          height: box.height * down,
        }),
        visible ?? NOTHING,
      );
    }
  };
  const top = answers.find(({ report }) => report.path.length === 0);
  if (top) enter(top, (box) => box, { x: 0, y: 0, ...top.report.window });
  return found;
}

const NOTHING = Object.freeze({ x: 0, y: 0, width: 0, height: 0 });

/**
 * The answer that came out of an element's frame. Frames in shadow roots have no number: of several
 * in one document the address tells which is which.
 * @param {Set<Answer>} waiting it is taken out of these
 * @param {number[]} path
 * @param {Held} element
 * @returns {Answer|null}
 */
function take(waiting, path, { url }) {
  const there = [...waiting].filter(({ report }) => String(report.path) === String(path));
  const found =
    there.find(({ report }) => report.url === url) ??
    there.find(({ report }) => siteOf(report.url) === siteOf(url)) ??
    (path.at(-1) === -1 ? undefined : there[0]);
  if (found) waiting.delete(found);
  return found ?? null;
}

/**
 * @param {Held} element
 * @param {Answer|null} inside
 * @param {string[]} offSites
 * @returns {{why: Why, site: string|null}|null} null where it is entered and can be watched
 */
function whyNot({ url, sandboxed }, inside, offSites) {
  if (inside) {
    const site = siteOf(inside.report.url);
    if (inside.report.origin === "null") return { why: "closed", site: null };
    return site !== null && offSites.includes(site) ? { why: "off", site } : null;
  }
  const site = siteOf(url);
  if (!sandboxed && site !== null) return { why: "ask", site };
  // Of an empty frame that was sent on by a script or a form it is not known where to.
  const isSentOn = !sandboxed && (url === "" || url === "about:blank");
  return { why: isSentOn ? "elsewhere" : "closed", site: null };
}

/** @param {Rect} box */
function isPlayerLike({ width, height }) {
  const shape = width / height;
  return width >= SMALLEST.width && height >= SMALLEST.height && shape > SLIMMEST && shape < FLATTEST;
}

/** @param {Rect} a @param {Rect} b @returns {Rect|null} what lies in both */
function common(a, b) {
  const [x, y] = [Math.max(a.x, b.x), Math.max(a.y, b.y)];
  const width = Math.min(a.x + a.width, b.x + b.width) - x;
  const height = Math.min(a.y + a.height, b.y + b.height) - y;
  return width > 0 && height > 0 ? { x, y, width, height } : null;
}

/** @param {Rect|null} rect */
function areaOf(rect) {
  return rect ? rect.width * rect.height : 0;
}

/**
 * Runs in the frames themselves, so it may use nothing from outside of it.
 * @returns {FrameReport}
 */
function lookAround() {
  /** @type {number[]} */
  const path = [];
  for (let frame = /** @type {Window} */ (window); frame !== frame.parent; frame = frame.parent) {
    let place = -1;
    for (let i = 0; i < frame.parent.length; i++) if (frame.parent[i] === frame) place = i;
    path.unshift(place);
  }
  /** @type {Held[]} */
  const held = [];
  /** @type {(Document|ShadowRoot)[]} */
  const roots = [document];
  for (let root = roots.pop(); root; root = roots.pop()) {
    for (const element of root.querySelectorAll("*")) {
      if (element instanceof HTMLElement && (element.shadowRoot || element.localName.includes("-"))) {
        // Closed roots: Chromium's way, and Firefox's.
        const shadow =
          element.shadowRoot ??
          globalThis.chrome?.dom?.openOrClosedShadowRoot?.(element) ??
          Reflect.get(element, "openOrClosedShadowRoot");
        if (shadow) roots.push(/** @type {ShadowRoot} */ (shadow));
      }
      const framed =
        element instanceof HTMLIFrameElement ||
        element instanceof HTMLFrameElement ||
        element instanceof HTMLObjectElement;
      if (!framed || !element.contentWindow) continue;
      if (element.checkVisibility && !element.checkVisibility({ visibilityProperty: true })) continue;
      const { contentWindow } = element;
      let place = -1;
      for (let i = 0; i < window.length; i++) if (window[i] === contentWindow) place = i;
      const { x, y, width, height } = element.getBoundingClientRect();
      const [across, down] = [width / (element.offsetWidth || 1), height / (element.offsetHeight || 1)];
      const style = getComputedStyle(element);
      const [left, top] = [parseFloat(style.paddingLeft) || 0, parseFloat(style.paddingTop) || 0];
      const [right, bottom] = [parseFloat(style.paddingRight) || 0, parseFloat(style.paddingBottom) || 0];
      const sandbox = element.getAttribute("sandbox");
      const address = element instanceof HTMLObjectElement ? element.data : element.src;
      held.push({
        place,
        url: element.hasAttribute("srcdoc") ? "about:srcdoc" : address,
        sandboxed: sandbox !== null && !/\ballow-same-origin\b/i.test(sandbox),
        box: {
          x: x + (element.clientLeft + left) * across,
          y: y + (element.clientTop + top) * down,
          width: (element.clientWidth - left - right) * across,
          height: (element.clientHeight - top - bottom) * down,
        },
      });
    }
  }
  const { offsetLeft = 0, offsetTop = 0, scale = 1 } = globalThis.visualViewport ?? {};
  return {
    path,
    origin: globalThis.origin,
    url: location.href,
    window: { width: innerWidth, height: innerHeight },
    view: { x: offsetLeft, y: offsetTop, width: innerWidth / scale, height: innerHeight / scale },
    held,
  };
}
