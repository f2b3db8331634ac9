// Texts come from _locales in the extension, and from the same file on the server's live page.

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

/** @param {number} probability */
export function percent(probability) {
  // Never 0 and never 100: no detector knows that much.
  return `${Math.min(99, Math.max(1, Math.round(probability * 100)))} %`;
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
