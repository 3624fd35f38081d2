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

/**
 * A number that may be none, as where a file is damaged.
 *
 * @param {number | null | undefined} value
 */
export function fixed(value, digits = 0) {
  return typeof value === "number" && Number.isFinite(value) ? value.toFixed(digits) : "–";
}

/**
 * A length of time as people say it.
 *
 * @param {number} seconds
 */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (h) return `${h} h ${m} min`;
  return m ? `${m} min ${s} s` : `${s} s`;
}

/**
 * A place in a sound, as its ruler shows it.
 *
 * @param {number} seconds
 * @param {number} tick distance of two marks; finer ones have more digits
 */
export function clock(seconds, tick) {
  const minutes = Math.floor(seconds / 60);
  const digits = tick < 0.1 ? 2 : tick < 1 ? 1 : 0;
  const rest = (seconds - 60 * minutes).toFixed(digits);
  return `${minutes}:${rest.padStart(digits ? 3 + digits : 2, "0")}`;
}
