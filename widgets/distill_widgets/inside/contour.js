// @ts-check
// A contour: levels spread evenly from begin to end of a sound, as they are typed and as drawn.

/**
 * @typedef {object} Range of levels, from the lower edge of a drawing to the upper
 * @property {number} low
 * @property {number} high
 * @property {boolean} in_octaves whether twice as much is always as much higher, as with pitches
 */

/** @typedef {{x: number, y: number}} Place in a drawing, from begin to end and from low to high, in [0, 1] */

const COLUMNS = 17;
const FEWER = [1, 2, 3, 5, 9]; // levels whose straight lines meet in columns
const NEAR = 0.02; // of the height: finer than the steps in which a prior is told

/** @param {number} share */
function within(share) {
  return Math.min(1, Math.max(0, share));
}

/** @param {readonly number[]} line @param {number} x */
function along(line, x) {
  const place = x * (line.length - 1);
  const first = Math.floor(place);
  const after = line[Math.min(first + 1, line.length - 1)];
  return line[first] + (place - first) * (after - line[first]);
}

/** @param {readonly number[]} line @param {number} count */
function resampled(line, count) {
  return Array.from({length: count}, (_, n) => along(line, count > 1 ? n / (count - 1) : 0));
}

/** @param {number} level @param {Range} range */
function heightOf(level, {low, high, in_octaves}) {
  return within(
    in_octaves ? Math.log(level / low) / Math.log(high / low) : (level - low) / (high - low),
  );
}

/**
 * The level at a height: whole dB, or Hz to two digits.
 *
 * @param {number} height
 * @param {Range} range
 */
export function levelAt(height, {low, high, in_octaves}) {
  if (!in_octaves) return Math.round(low + height * (high - low));
  const hz = Number((low * (high / low) ** height).toPrecision(2));
  return Math.min(high, Math.max(low, hz));
}

/**
 * What is typed as a line in a drawing, a height for each column; none where it is no list of levels.
 *
 * @param {string} text
 * @param {Range} range
 */
export function lineOf(text, range) {
  const levels = text.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  if (!levels.every((level) => Number.isFinite(level) && (level > 0 || !range.in_octaves)))
    return [];
  return resampled(
    levels.map((level) => heightOf(level, range)),
    COLUMNS,
  );
}

/**
 * The line after a pen has moved; its first touch of an empty drawing is a level from end to end.
 *
 * @param {readonly number[]} line
 * @param {Place} from
 * @param {Place} to
 */
export function drawn(line, from, to) {
  const [a, b] = from.x <= to.x ? [from, to] : [to, from];
  const [first, last] = [a, b].map(({x}) => Math.round(within(x) * (COLUMNS - 1)));
  const before = line.length ? line : Array(COLUMNS).fill(within(from.y));
  return before.map((height, column) => {
    if (column < first || column > last) return height;
    const share = last > first ? (column - first) / (last - first) : Number(b === to);
    return within(a.y + share * (b.y - a.y));
  });
}

/**
 * A line as levels to type, as few as say the same.
 *
 * @param {readonly number[]} line
 * @param {Range} range
 */
export function textOf(line, range) {
  /** @param {number} count */
  const says = (count) =>
    resampled(resampled(line, count), COLUMNS).every((y, n) => Math.abs(y - line[n]) <= NEAR);
  const heights = resampled(line, FEWER.find(says) ?? COLUMNS);
  return heights.map((height) => levelAt(height, range)).join(", ");
}
