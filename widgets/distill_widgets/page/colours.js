// @ts-check
// Colours that are told apart equally well, whatever they stand for.

/** @param {number} linear @returns {number} a byte of sRGB */
function byteOf(linear) {
  const clamped = Math.min(1, Math.max(0, linear));
  return Math.round(
    255 * (clamped <= 0.0031308 ? 12.92 * clamped : 1.055 * clamped ** (1 / 2.4) - 0.055),
  );
}

/**
 * OKLCH to sRGB: equal steps of hue look equally far apart. Source: Ottosson 2020.
 *
 * @param {number} lightness in [0, 1]
 * @param {number} chroma
 * @param {number} turn hue, in [0, 1]
 */
export function oklch(lightness, chroma, turn) {
  const a = chroma * Math.cos(2 * Math.PI * turn);
  const b = chroma * Math.sin(2 * Math.PI * turn);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const linear = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  return `rgb(${linear.map(byteOf).join(",")})`;
}

/** From little to much, on a light and on a dark ground: lightness and hue both rise. */
export const SCALE = Array.from({length: 9}, (_, i) => [
  i / 8,
  oklch(0.5 + 0.04 * i, 0.13, 0.78 - (0.52 * i) / 8),
]);

/**
 * Neighbours in a list get colours far apart: the golden angle.
 *
 * @param {number} number place in the list; below 0 is grey
 */
export function colourOf(number) {
  if (number < 0) return "rgb(138,138,138)";
  return oklch([0.66, 0.74, 0.82][number % 3], 0.125, (number * 0.618034) % 1);
}

/**
 * Colours of entries by their place on a circle; neighbours on it differ in lightness too.
 *
 * @param {ArrayLike<number>} hues (level × entry) places
 * @param {number} levels
 * @param {number} entries
 */
export function entryColours(hues, levels, entries) {
  /** @param {number} place */
  const colour = (place) => oklch([0.64, 0.73, 0.82][place % 3], 0.125, place / entries);
  return Array.from({length: levels}, (_, level) =>
    Array.from({length: entries}, (_, entry) => colour(hues[level * entries + entry])),
  );
}

/**
 * A colour that lets what lies behind it through; grey where it is no colour by numbers.
 *
 * @param {string} colour as `#1976d2`, `#888`, `rgb(1, 2, 3)` or `rgba(1, 2, 3, 0.5)`
 * @param {number} share of it that is left
 */
export function translucent(colour, share) {
  const hex = /^#([\da-f]{3}|[\da-f]{6})$/i.exec(colour)?.[1];
  const digits = hex?.match(hex.length === 3 ? /./g : /../g);
  const numbers = digits
    ? digits.map((digit) => Number.parseInt(digit.padStart(2, digit), 16))
    : (/^rgba?\(([^)]+)\)$/.exec(colour)?.[1] ?? "128, 128, 128").split(/[\s,/]+/).map(Number);
  const [red, green, blue, own = 1] = numbers;
  return `rgba(${red}, ${green}, ${blue}, ${own * share})`;
}
