// The pages' own texts in the language of the page. The English text is the key: what is not translated is
// shown in English. Words that the extension has too come from its table, by `say`.

/** A text, or of one that counts something that of one and that of more. @type {Record<string, string|string[]>} */
const table = JSON.parse(document.getElementById("words")?.textContent || "{}");
const YEAR_S = 365 * 24 * 3600;

/**
 * The text in the page's language.
 * @param {string} message
 * @param {Record<string, string|number>} [values] for the gaps, such as `{name}`
 */
export function _(message, values = {}) {
  const found = table[message];
  return filled(typeof found === "string" ? found : message, values);
}

/**
 * The text for so many, which is `{count}` in it.
 * @param {string} one
 * @param {string} many
 * @param {number} count
 * @param {Record<string, string|number>} [values]
 */
export function _n(one, many, count, values = {}) {
  const found = table[one];
  // Spanish has a form of its own for millions, which stands between these two.
  const forms = Array.isArray(found) ? found : [one, many];
  return filled(forms[count === 1 ? 0 : forms.length - 1], { count, ...values });
}

/** @param {string} text @param {Record<string, string|number>} values */
function filled(text, values) {
  return text.replace(/\{(\w+)\}/g, (_gap, name) => String(values[name] ?? ""));
}

/** The choice at the foot of the page holds for all pages of this server, in this browser. */
export function offerLanguages() {
  const choice = /** @type {HTMLSelectElement|null} */ (document.getElementById("language"));
  choice?.addEventListener("change", () => {
    document.cookie = `fakelight_language=${choice.value}; Max-Age=${YEAR_S}; SameSite=Lax`;
    location.reload();
  });
}
