// @ts-check
// Where things are in a grid of codes: rows of levels below a ruler, a column for each step.

export const ROW_PX = 34;
export const RULER_PX = 24;
const WIDTHS_PX = [2, 4, 8, 14, 28, 44];
const WIDEST_PX = 12e6; // browsers stop laying out somewhat above that
const USUAL_PX = 14;
const [LEAST_WHOLE_PX, MOST_WHOLE_PX] = [9, 32];
const TICKS_S = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600];
const TICK_PX = 70;

/** @typedef {{level: number | null, step: number | null}} Place level null: all levels */

/** @param {number} levels */
export function heightOf(levels) {
  return RULER_PX + levels * ROW_PX;
}

/** @param {number | null} level null: the ruler and all below it */
export function topOf(level) {
  return level === null ? 0 : RULER_PX + level * ROW_PX;
}

/**
 * What lies at a point of the grid.
 *
 * @param {number} x from the left of the first step
 * @param {number} y
 * @param {number} width of a cell
 * @param {number} levels
 * @param {number} steps
 * @returns {Place}
 */
export function placeAt(x, y, width, levels, steps) {
  const step = Math.floor(x / width);
  const level = Math.floor((y - RULER_PX) / ROW_PX);
  return {
    level: level >= 0 && level < levels ? level : null,
    step: step >= 0 && step < steps ? step : null,
  };
}

/**
 * Widths of a cell that can be chosen for a sound.
 *
 * @param {number} steps
 */
export function widthsOf(steps) {
  const fit = WIDTHS_PX.filter((width) => width * steps <= WIDEST_PX);
  return fit.length ? fit : [WIDEST_PX / steps];
}

/**
 * The widest cells that show a short sound whole; wide enough to hit where it is long.
 *
 * @param {number} seen width of what is seen
 * @param {number} steps
 */
export function fittingWidth(seen, steps) {
  const whole = Math.floor(seen / steps);
  if (whole >= LEAST_WHOLE_PX) return Math.min(whole, MOST_WHOLE_PX);
  return Math.min(USUAL_PX, Math.max(...widthsOf(steps)));
}

/**
 * The next wider or narrower cells; the same where there are none.
 *
 * @param {number} width
 * @param {number} by above 0 for wider
 * @param {number} steps
 */
export function zoomed(width, by, steps) {
  const widths = widthsOf(steps);
  const next =
    by > 0 ? widths.find((other) => other > width) : widths.findLast((other) => other < width);
  return next ?? width;
}

/**
 * The first and the last step that are seen.
 *
 * @param {number} left
 * @param {number} seen
 * @param {number} width
 * @param {number} steps
 */
export function seenSteps(left, seen, width, steps) {
  return [Math.floor(left / width), Math.min(steps - 1, Math.floor((left + seen) / width))];
}

/**
 * Distance of two marks on the ruler, in seconds.
 *
 * @param {number} perSecond pixels of a second
 */
export function tickOf(perSecond) {
  return TICKS_S.find((tick) => tick * perSecond >= TICK_PX) ?? TICKS_S[TICKS_S.length - 1];
}
