// The overlay's style sheet, inside its shadow root only.

import { BESIDE, OUTSIDE } from "./clear.js";
import { SIGN_GAP } from "./corner.js";
import { PAIR_WIDTH, SIDE } from "./heat.js";
import { LOOKS } from "./look.js";
import { GLIDE_MS } from "./mark.js";

const CSS = `
:host { all: initial; }
* { box-sizing: border-box; }
.stage { position: absolute; inset: 0; overflow: clip; pointer-events: none; }
.stage.gone { visibility: hidden; }
.face, .box, .chip { position: absolute; left: 0; top: 0; }
.face { width: 100%; height: 100%; pointer-events: none; will-change: transform; }
.box { pointer-events: none; }
.stage:not(.still) .gliding { transition: transform ${GLIDE_MS}ms linear; }
.stage, .card {
  font: 500 13px/1.25 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif;
  color: #fff; letter-spacing: 0.005em; -webkit-font-smoothing: antialiased;
}
.chip {
  display: grid; grid-template-columns: auto 1fr auto;
  align-items: center; gap: 0 6px; max-width: min(232px, calc(100% - 8px)); margin: 0;
  padding: 4px 9px 4px 6px; font: inherit; letter-spacing: inherit; color: inherit; text-align: left;
  background: rgba(16, 19, 24, 0.86); border: 1px solid rgba(255, 255, 255, 0.16);
  border-left: 3px solid var(--colour); border-radius: 7px; pointer-events: auto; cursor: pointer;
  overflow: hidden; white-space: nowrap; forced-color-adjust: none;
}
/* Why it cannot be told takes more words than a verdict; German and Spanish take more for both. */
.chip:is([data-wordy], :lang(de), :lang(es)) { max-width: min(300px, calc(100% - 8px)); }
.chip[data-wordy]:is(:lang(de), :lang(es)) { max-width: min(380px, calc(100% - 8px)); }
.chip:hover { background: rgba(16, 19, 24, 0.96); border-color: rgba(255, 255, 255, 0.4);
  border-left-color: var(--colour); }
.chip:focus-visible, .card button:focus-visible { outline: 2px solid #fff; outline-offset: 1px; }
svg { width: 15px; height: 15px; fill: none; stroke: var(--colour); stroke-width: 1.7;
  stroke-linecap: round; stroke-linejoin: round; flex: none; }
.words { overflow: hidden; text-overflow: ellipsis; font-weight: 600; }
.percent { font-variant-numeric: tabular-nums; color: #e4e7ec; }
.chip canvas { grid-column: 1 / 3; width: 100%; min-width: 0; height: 16px; margin-top: 2px; }
.details { grid-column: 3; font-size: 11px; font-weight: 500; color: #e4e7ec; text-decoration: underline;
  text-underline-offset: 2px; justify-self: end; }
.chip[data-plain] :is(canvas, .percent) { display: none; }
.stage[data-size="medium"] { font-size: 12px; }
.stage[data-size="medium"] .chip { padding: 3px 7px 3px 5px; }
.stage[data-size="medium"] .chip canvas { height: 12px; }
.stage:is([data-size="small"], [data-size="tiny"]) { font-size: 11px; }
.stage:is([data-size="small"], [data-size="tiny"]) .chip { padding: 2px 5px 2px 4px; gap: 0 4px; }
.stage:is([data-size="small"], [data-size="tiny"]) :is(.chip canvas, .details) { display: none; }
.stage:is([data-size="small"], [data-size="tiny"]) .words { font-weight: 500; }
.stage:is([data-size="small"], [data-size="tiny"]) svg { width: 12px; height: 12px; }
.stage[data-size="tiny"] .percent { display: none; }
.corner {
  position: absolute; left: 8px; top: 8px; display: grid; grid-template-columns: minmax(0, auto);
  place-items: start; max-width: calc(100% - 16px);
}
.badge, .recall { grid-area: 1 / 1; }
/* By transform: a sign that gives way to another is then no shift of the page's layout. */
.badge:not([hidden]) + .recall { transform: translateY(calc(var(--above, 100%) + ${SIGN_GAP}px)); }
/* From its first line: one of several folds without moving its light. */
.badge, .recall {
  display: flex; align-items: flex-start; gap: 6px; max-width: 100%; padding: 4px 9px 4px 7px; border-radius: 13px;
  min-height: calc(1.25em + 10px);
  background: rgba(16, 19, 24, 0.78); border: 1px solid rgba(255, 255, 255, 0.14); color: #eef0f3;
  font-weight: 500; transition: opacity 0.4s; forced-color-adjust: none;
}
.badge[hidden], .recall[hidden] { display: none; }
.recall { --colour: ${LOOKS.likely_fake.colour}; border-radius: 7px; border-left: 3px solid var(--colour); }
.corner .text { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; overflow: hidden;
  overflow-wrap: anywhere; }
.recall .text { overflow-wrap: normal; }
.recall svg { margin-top: calc(0.625em - 7.5px); }
.badge .light { width: 8px; height: 8px; margin-top: calc(0.625em - 4px); border-radius: 50%; flex: none; background: ${LOOKS.gathering.colour}; }
.badge[data-tone="trouble"] .light { background: ${LOOKS.unsure.colour}; border-radius: 1px; transform: rotate(45deg); }
.badge[data-tone="quiet"] .light { background: none; border: 2px solid #aab2bd; }
/* As high as with its words, or its light would move: a shift of the page's layout. */
.badge[data-folded] { opacity: 0.55; padding-inline: 8px; }
.badge[data-folded] .text, .stage[data-size="tiny"] .badge[data-tone="quiet"] .text { display: none; }
.stage:is([data-size="small"], [data-size="tiny"]) .corner { left: 4px; top: 4px; max-width: calc(100% - 8px); }
.stage:is([data-size="small"], [data-size="tiny"]) :is(.badge, .recall) { padding: 2px 6px; min-height: calc(1.25em + 6px); }
.stage[data-outside] { overflow: visible; clip-path: inset(-${OUTSIDE}px -${BESIDE}px); }
.stage[data-outside="below"] .corner { top: calc(100% + 5px); display: flex; gap: ${SIGN_GAP}px; }
.stage[data-outside="above"] .corner { top: auto; bottom: calc(100% + 5px); display: flex; gap: ${SIGN_GAP}px; }
/* Room is for two lines there, and beside the picture for more. */
.stage:is([data-outside="above"], [data-outside="below"]) .corner .text { -webkit-line-clamp: 2; }
.stage[data-outside="right"] .corner { left: calc(100% + 6px); top: 6px; }
.stage[data-outside="left"] .corner { left: auto; right: calc(100% + 6px); top: 6px; }
/* Of its own: the stage has none left there, and a sign would be as wide as a letter. */
.stage:is([data-outside="right"], [data-outside="left"]) .corner { width: max-content; max-width: ${BESIDE - 12}px; }
.stage:is([data-outside="right"], [data-outside="left"]) .corner .text { -webkit-line-clamp: 4; }
.stage:is([data-outside="above"], [data-outside="below"]) .recall { transform: none; }
.stage[data-outside=""] .recall { display: none; }
.spoken { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.card {
  position: absolute; left: 0; top: 0; width: 288px; max-width: calc(100vw - 16px); overflow: auto; padding: 14px 16px;
  background: #14181d; border: 1px solid #3a424d; border-top: 3px solid var(--colour);
  border-radius: 10px; box-shadow: 0 8px 28px rgba(0, 0, 0, 0.45); pointer-events: auto;
  font-weight: 400; font-size: 13px; forced-color-adjust: none;
}
.card[hidden] { display: none; }
.card header { display: flex; align-items: center; gap: 8px; }
.card header > span { display: flex; }
.card h2 { flex: 1; margin: 0; font-size: 15px; font-weight: 650; }
.card header button { all: unset; box-sizing: border-box; width: 26px; height: 26px; border-radius: 6px;
  text-align: center; font-size: 18px; line-height: 24px; color: #c9d0d9; cursor: pointer; }
.card header button:hover { background: #2a313a; color: #fff; }
.card h3 { margin: 12px 0 4px; font-size: 12px; font-weight: 600; color: #aeb7c2; }
.card p { margin: 4px 0 0; line-height: 1.4; overflow-wrap: anywhere; }
.card canvas { display: block; width: 100%; height: 56px; }
.card .strip { height: 26px; }
.card .axis { display: flex; justify-content: space-between; color: #aeb7c2; font-size: 11px; }
.card ul { margin: 0; padding: 0; list-style: none; }
.card .graph { position: relative; padding-right: 30px; }
.card .graph span { position: absolute; right: 0; color: #aeb7c2; font-size: 11px; line-height: 1; }
.card .graph span:nth-of-type(1) { top: 0; }
.card .graph span:nth-of-type(2) { bottom: 3px; }
.card .graph + .axis { padding-right: 30px; }
/* Its words for the two ends are longer. */
.card:lang(de) :is(.graph, .graph + .axis) { padding-right: 56px; }
.card .member { display: grid; grid-template-columns: 1fr 36px 84px; gap: 8px; align-items: center;
  font-size: 12px; margin-top: 3px; }
.card .member span:first-child::first-letter { text-transform: uppercase; }
.card .member .bar { height: 6px; border-radius: 3px; background: #333b45; overflow: hidden; }
.card .member .bar i { display: block; height: 100%; background: ${LOOKS.likely_fake.colour}; }
.card .member .bar .against { background: ${LOOKS.likely_real.colour}; }
.card .member .value { text-align: right; font-variant-numeric: tabular-nums; }
.card .heat { margin-top: 12px; }
.card .heat[hidden], .card .heat [hidden], .heat-over[hidden] { display: none; }
.card .heat button { font: inherit; font-weight: 600; color: #fff; background: #2a313a; cursor: pointer;
  border: 1px solid rgba(255, 255, 255, 0.22); border-radius: 6px; padding: 5px 10px; }
.card .heat button:hover { background: #39424e; }
.card .heat canvas { width: ${PAIR_WIDTH}px; max-width: 100%; height: auto; margin-top: 8px; border-radius: 6px; }
.card .heat p:empty { display: none; }
.card .heat p { font-size: 12px; color: #c9d0d9; }
.card .heat label { display: flex; align-items: center; gap: 6px; margin-top: 6px; font-size: 12px; }
.heat-over { position: absolute; left: 0; top: 0; width: ${SIDE}px; height: ${SIDE}px; transform-origin: 0 0; }
.card .scope { color: #aeb7c2; font-size: 12px; margin-top: 12px; }
@media (prefers-reduced-motion: reduce) { .badge, .stage .gliding { transition: none !important; } }
`;

/** @param {ShadowRoot} root @param {Document} page that it is going to be in */
export function applyStyle(root, page, css = CSS) {
  try {
    const { defaultView } = page;
    const sheet = new (defaultView ?? globalThis).CSSStyleSheet(); // a sheet is good for its own document
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet];
  } catch {
    // Firefox refuses constructed sheets from content scripts; an element in a closed root works.
    const style = document.createElement("style");
    style.textContent = css;
    root.append(style);
  }
}
