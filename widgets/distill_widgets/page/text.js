// @ts-check
// Texts and elements: the only way in which a text gets onto a page.

const MOST_CHARACTERS = 10_000;
const STEERING =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]|[\ud800-\udfff]/gu;

/** @param {string} sign */
function escaped(sign) {
  return `\\u${sign.codePointAt(0)?.toString(16).padStart(4, "0")}`;
}

/**
 * A text that nothing can be hidden in: signs that steer a line are shown, and what nobody reads
 * is cut.
 *
 * @param {unknown} text
 * @param {number} limit longest text, in characters
 */
export function shownText(text, limit = MOST_CHARACTERS) {
  const whole = String(text ?? "");
  const cut = whole.length > limit ? `${whole.slice(0, limit - 1)}…` : whole;
  return cut.replace(STEERING, escaped);
}

/**
 * Shows a text as text.
 *
 * @param {Element} el
 * @param {unknown} text
 */
export function setText(el, text) {
  const shown = shownText(text);
  if (el.textContent !== shown) el.textContent = shown;
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  setText(made, text);
  return made;
}
