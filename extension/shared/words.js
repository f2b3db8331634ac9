// Texts come from _locales in the extension, and from the same files on the server's pages.

/** @type {Record<string, {message: string, placeholders?: Record<string, {content: string}>}>} */
let table = {};

/** @param {typeof table} messages the parsed messages.json, for pages that have no chrome.i18n */
export function setWords(messages) {
  table = messages;
}

/**
 * @param {string} key
 * @param {...string} parts for $1, $2 and so on
 * @returns {string}
 */
export function say(key, ...parts) {
  const i18n = globalThis.chrome?.i18n;
  const found = i18n?.getMessage?.(key, parts);
  if (found) return found;
  const entry = table[key];
  if (!entry) return key;
  const holders = entry.placeholders ?? {};
  return entry.message
    .replace(/\$(\w+)\$/g, (_, name) => holders[name.toLowerCase()]?.content ?? "")
    .replace(/\$(\d)/g, (_, index) => parts[Number(index) - 1] ?? "");
}

/**
 * The tag that numbers and times are written by: the person's own where it is of the language that
 * the words are in, so that `en-GB` keeps its hours, else that language.
 * @returns {string}
 */
export function locale() {
  const spoken = say("language");
  return globalThis.navigator?.languages?.find((tag) => tag.split("-")[0] === spoken) ?? spoken;
}

/** @param {number} value @param {number} digits after the point */
export function decimal(value, digits) {
  return new Intl.NumberFormat(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
}

/** @param {number} part of 1 */
export function partWords(part) {
  return say("percent", String(Math.round(100 * part)));
}

/** @typedef {import("../protocol/messages.js").Verdict} Verdict */
/** @typedef {import("../protocol/messages.js").Ground} Ground */
/** @typedef {import("../protocol/messages.js").Accuracy} Accuracy */

/** What members look at that there are words for; another is shown as it came. */
export const SENSES = ["texture", "noise", "movement", "generated_head", "picture"];
/** Of all that counted; less on one side is no second opinion. */
const SPLIT = 0.2;

/** @param {number} probability */
export function percent(probability) {
  // Never 0 and never 100: no detector knows that much.
  return partWords(Math.min(0.99, Math.max(0.01, probability)));
}

/**
 * A reason in words; a code that this version does not know is shown as it came.
 * @param {string} code
 * @param {"short"|"long"} length
 */
export function reasonWords(code, length) {
  const key = length === "long" ? `reason_${code}_long` : `reason_${code}`;
  const words = say(key);
  return words === key ? code.replaceAll("_", " ") : words;
}

/**
 * The verdict in words; in between, which way it leans.
 * @param {Verdict} verdict
 * @param {number|null} probability
 */
export function verdictWords(verdict, probability) {
  if (verdict === "unsure" && probability !== null) return say(probability >= 0.5 ? "leans_fake" : "leans_real");
  return say(`verdict_${verdict}`);
}

/**
 * How probable it is that the face is fake, where the words say that it may be: beside "likely real"
 * the same figure would read as the opposite of what it is.
 * @param {Verdict} verdict
 * @param {number|null} probability
 */
export function shareWords(verdict, probability) {
  if (probability === null) return "";
  const says = verdict === "likely_fake" || (verdict === "unsure" && probability >= 0.5);
  return says ? percent(probability) : "";
}

/** @param {string} sense */
export function looksAtWords(sense) {
  return SENSES.includes(sense) ? say(`looks_at_${sense}`) : sense;
}

/**
 * With the shares of members that look at the same added up: people read of what was looked at, not
 * of how many nets do.
 * @param {readonly Ground[]} grounds
 * @returns {Ground[]} what counted most first
 */
export function bySense(grounds) {
  /** @type {Map<string, Ground>} */
  const found = new Map();
  for (const one of grounds) {
    const known = found.get(one.looks_at);
    found.set(one.looks_at, known ? { ...known, share: known.share + one.share } : one);
  }
  return [...found.values()].sort((a, b) => Math.abs(b.share) - Math.abs(a.share));
}

/**
 * In a sentence what the verdict rests on most; empty where there is none to explain.
 * @param {Verdict} verdict
 * @param {readonly Ground[]} all of each member
 */
export function becauseWords(verdict, all) {
  const grounds = bySense(all);
  const speaking = grounds.find(({ share }) => share > 0);
  const against = grounds.find(({ share }) => share < 0);
  if (grounds.length === 0 || verdict === "gathering" || verdict === "not_enough_evidence") return "";
  if (verdict === "likely_fake") return speaking ? sentenceOn(speaking) : "";
  if (verdict === "likely_real") return against ? sentenceOn(against) : say("because_nothing");
  if (speaking && against && Math.min(speaking.share, -against.share) >= SPLIT) {
    return say("because_split", looksAtWords(speaking.looks_at), looksAtWords(against.looks_at));
  }
  return say("because_weak");
}

/** @param {Ground} ground */
function sentenceOn({ looks_at: sense, share }) {
  if (!SENSES.includes(sense)) return share > 0 ? say("because_other_fake", sense) : say("because_other_real", sense);
  return share > 0 ? say(`because_${sense}_fake`) : say(`because_${sense}_real`);
}

/** @param {import("./states.js").Looks} looks */
export function busyWords({ rate, full }) {
  return say("server_busy", decimal(rate, rate < 1 ? 1 : 0), decimal(full, 0));
}

/** @param {Accuracy|null} accuracy @returns {string} how often it was right where it was tried; empty if not known */
export function accuracyWords(accuracy) {
  if (!accuracy) return "";
  const { real, real_flagged: wrong, fake, fake_flagged: caught } = accuracy;
  return say("accuracy", ...[real + fake, caught, fake, wrong, real].map(String));
}
