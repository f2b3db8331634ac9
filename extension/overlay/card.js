// The card that opens on a click on a face's label: what is known, from whom, and what is not.

import { keepFrom } from "./events.js";
import { LOOKS, icon } from "./look.js";
import { wordsFor } from "./chip.js";
import { HeatView } from "./heat.js";
import { drawStrip } from "./strip.js";
import { flaggedWords, timeWords } from "./times.js";
import { SPAN_S, drawTimeline } from "./timeline.js";
import { accuracyWords, becauseWords, busyWords, bySense, looksAtWords, partWords, percent, reasonWords, say, verdictWords } from "../shared/words.js";

/** @typedef {import("./timeline.js").Point} Point */
/** @typedef {import("../protocol/messages.js").Face} Face */
/** @typedef {{memory: import("./memory.js").VideoMemory, video: HTMLVideoElement}} Past */
/**
 * @typedef {import("./chip.js").Told & Pick<Face, "box">} Details
 */

const MARGIN = 8;
/** So many flagged stretches of the video are named, the rest is counted. */
const MOST_NAMED = 4;

export class Card {
  /** @param {ShadowRoot} root */
  constructor(root) {
    this.root = root;
    this.element = document.createElement("div");
    this.element.className = "card";
    this.element.hidden = true;
    this.element.setAttribute("role", "dialog");
    this.element.tabIndex = -1;
    keepFrom(this.element, []);
    this.element.addEventListener("keydown", ({ key }) => {
      if (key === "Escape") this.close();
    });
    this.timeline = document.createElement("canvas");
    this.strip = document.createElement("canvas");
    this.strip.className = "strip";
    this.strip.setAttribute("role", "img");
    /** @type {number|null} */
    this.track = null;
    /** @type {import("../protocol/messages.js").Accuracy|null} of the models that judge */
    this.accuracy = null;
    /** @type {import("../shared/states.js").Looks|null} where the server looks less often than it should */
    this.busy = null;
    this.filledAt = -Infinity;
    /** @type {HTMLElement|null} */
    this.opener = null;
    this.body = document.createElement("div");
    this.heading = document.createElement("h2");
    this.mark = document.createElement("span");
    const close = document.createElement("button");
    close.type = "button";
    close.textContent = "\u00d7";
    close.setAttribute("aria-label", say("close"));
    close.addEventListener("click", () => this.close());
    const header = document.createElement("header");
    header.append(this.mark, this.heading, close);
    this.closeButton = close;
    // Apart from what is filled anew twice a second: a button must keep the focus.
    this.heat = new HeatView(root);
    this.foot = document.createElement("div");
    this.element.append(header, this.body, this.heat.section, this.foot);
    root.append(this.element);
  }

  /** @param {number} track @param {HTMLElement} opener gets the focus back */
  open(track, opener) {
    this.track = track;
    this.opener = opener;
    this.filledAt = -Infinity;
    this.heat.open(track);
    this.element.hidden = false;
    opener.setAttribute("aria-expanded", "true");
    this.closeButton.focus({ preventScroll: true });
  }

  close() {
    if (this.track === null) return;
    this.track = null;
    this.heat.open(null);
    const hadFocus = this.element.contains(this.root.activeElement);
    this.element.hidden = true;
    this.opener?.setAttribute("aria-expanded", "false");
    if (hadFocus && this.opener?.isConnected) this.opener.focus({ preventScroll: true });
  }

  /**
   * @param {Details} details
   * @param {Point[]} points
   * @param {Past|null} past the whole video, as far as it was watched
   * @param {number} now milliseconds
   */
  fill(details, points, past, now) {
    this.heat.face = details.box;
    if (now - this.filledAt < 500) return;
    this.filledAt = now;
    this.element.style.setProperty("--colour", LOOKS[details.verdict].colour);
    this.element.setAttribute("aria-label", say("card_label"));
    this.mark.replaceChildren(icon(details.verdict));
    this.heading.textContent = verdictWords(details.verdict, details.probability);
    /** @type {HTMLElement[]} */
    const parts = [paragraph(this.summary(details))];
    const because = becauseWords(details.verdict, details.grounds);
    if (because) parts.push(paragraph(because));
    if (this.busy) parts.push(paragraph(busyWords(this.busy)));
    if (details.reasons.length > 0) {
      parts.push(heading(say("card_why")));
      parts.push(list(details.reasons.map((reason) => reasonWords(reason, "long"))));
    }
    const axis = document.createElement("div");
    axis.className = "axis";
    axis.append(span(say("seconds_ago", String(SPAN_S))), span(say("now")));
    const graph = document.createElement("div");
    graph.className = "graph";
    graph.append(this.timeline, span(say("fake")), span(say("real")));
    parts.push(heading(say("card_timeline")), graph, axis);
    const strip = past && stripOf(past);
    if (strip) {
      const ends = document.createElement("div");
      ends.className = "axis";
      ends.append(...[strip.from, strip.to].map((time) => span(timeWords(time, strip.clock))));
      this.strip.setAttribute("aria-label", strip.words);
      parts.push(heading(say("card_memory")), paragraph(strip.words), this.strip, ends);
    }
    this.body.replaceChildren(...parts);
    const grounds = bySense(details.grounds);
    const scope = paragraph([say("scope"), accuracyWords(this.accuracy)].filter(Boolean).join(" "));
    scope.className = "scope";
    const said = grounds.length > 0 ? [heading(say("card_grounds")), shares(grounds)] : [];
    this.foot.replaceChildren(...said, scope);
    drawTimeline(this.timeline, points, { grid: true });
    if (strip) drawStrip(this.strip, strip);
  }

  /** @param {Details} details */
  summary(details) {
    if (details.probability === null) return wordsFor(details);
    return say("card_summary", percent(details.probability));
  }

  /**
   * Beside the face, which one wants to see, on the side with room; else under its label. The whole
   * card stays in the window.
   * @param {{x: number, y: number}} stage the stage's corner in the window
   * @param {import("./layout.js").Rect} box within the stage
   * @param {import("./layout.js").Rect} chip within the stage
   */
  place(stage, box, chip) {
    this.heat.follow(box);
    const { documentElement, defaultView } = this.element.ownerDocument;
    const room = { width: documentElement.clientWidth, height: (defaultView ?? globalThis).innerHeight };
    const { offsetWidth: width } = this.element;
    this.element.style.maxHeight = `${Math.max(120, room.height - 2 * MARGIN)}px`;
    const height = this.element.offsetHeight;
    const right = stage.x + Math.max(box.x + box.width, chip.x + chip.width) + MARGIN;
    const left = stage.x + Math.min(box.x, chip.x) - width - MARGIN;
    let wanted = { x: stage.x + chip.x, y: stage.y + chip.y + chip.height + MARGIN };
    if (right + width <= room.width - MARGIN) wanted = { x: right, y: stage.y + box.y };
    else if (left >= MARGIN) wanted = { x: left, y: stage.y + box.y };
    const x = Math.max(MARGIN, Math.min(room.width - width - MARGIN, wanted.x));
    const y = Math.max(MARGIN, Math.min(room.height - height - MARGIN, wanted.y));
    // By transform: following a face is then no shift of the page's layout.
    this.element.style.transform = `translate(${Math.round(x - stage.x)}px, ${Math.round(y - stage.y)}px)`;
  }
}

/** @param {Past} past @returns {import("./strip.js").Strip & {words: string}|null} null before the first verdict */
function stripOf({ memory, video }) {
  const { stretches, flagged, clock } = memory;
  if (stretches.length === 0) return null;
  const ends = clock === "media" && Number.isFinite(video.duration);
  const at = clock === "media" ? video.currentTime : Date.now() / 1000;
  const from = ends ? 0 : stretches[0].from;
  const to = ends ? video.duration : Math.max(at, ...stretches.map((one) => one.to));
  const judged = say("nothing_flagged", timeWords(memory.judgedSeconds, "media"));
  const words = flagged.length > 0 ? flaggedWords(flagged, clock, MOST_NAMED) : judged;
  return { from, to, at, stretches, clock, words };
}

/** @param {string} text */
function paragraph(text) {
  const element = document.createElement("p");
  element.textContent = text;
  return element;
}

/** @param {string} text */
function heading(text) {
  const element = document.createElement("h3");
  element.textContent = text;
  return element;
}

/** @param {string} text */
function span(text) {
  const element = document.createElement("span");
  element.textContent = text;
  return element;
}

/** @param {string[]} texts */
function list(texts) {
  const element = document.createElement("ul");
  for (const text of texts) {
    const item = document.createElement("li");
    item.append(paragraph(text));
    element.append(item);
  }
  return element;
}

/** @param {readonly import("../protocol/messages.js").Ground[]} grounds */
function shares(grounds) {
  const element = document.createElement("ul");
  for (const { looks_at: sense, share: part } of grounds) {
    const item = document.createElement("li");
    item.className = "member";
    const bar = document.createElement("span");
    bar.className = "bar";
    const fill = document.createElement("i");
    fill.style.width = `${Math.round(100 * Math.abs(part))}%`;
    if (part < 0) fill.className = "against";
    bar.append(fill);
    const value = span(say(part < 0 ? "counted_real" : "counted_fake", partWords(Math.abs(part))));
    value.className = "value";
    item.append(span(looksAtWords(sense)), bar, value);
    element.append(item);
  }
  return element;
}
