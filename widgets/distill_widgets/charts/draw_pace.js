// @ts-check
// How seldom a chart is drawn: training needs the cores that a page draws on.

const SHARE = 0.005; // of the machine's time, for each of the charts of a dashboard
const LEAST_LIMIT_MS = 3000; // at first curves change fast, and are watched
const GREATEST_LIMIT_MS = 10_000;
const LIMIT_OF_AGE = 0.15;
const QUIET_MS = 4500; // new points come every three seconds, or sooner, while a run goes on

/**
 * How long a chart rests after it was drawn.
 *
 * @param {number} cost of drawing it, in ms
 * @param {number} cores of the machine
 * @param {number} age for how long it has been on the page, in ms
 */
export function restAfter(cost, cores, age) {
  const limit = Math.min(Math.max(LIMIT_OF_AGE * age, LEAST_LIMIT_MS), GREATEST_LIMIT_MS);
  return Math.min(cost / (SHARE * Math.max(1, cores)), limit);
}

/**
 * How long what is new waits to be drawn, if nothing newer comes: a run that has ended, or rests,
 * shows its last points soon.
 *
 * @param {number} freeAt when the chart has rested enough, in ms
 * @param {number} now likewise
 */
export function waitBeforeDrawing(freeAt, now) {
  return Math.max(0, Math.min(freeAt - now, QUIET_MS));
}
