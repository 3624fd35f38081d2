// @ts-check
// The explorer's map: entries on a plane, coloured by what is known of them.
/** @import {LevelFacts} from "../page/messages" */
/** @import {Answer, Json, Picture} from "../page/types" */

import {fixed} from "../page/amounts.js";
import {numbers} from "../page/buffers.js";
import {colourOf, SCALE} from "../page/colours.js";
import {SLIM} from "../page/plotly_draw.js";
import {shownText} from "../page/text.js";
import {themeColour} from "../page/theme.js";

const SMALLEST_PX = 6;
const LARGEST_PX = 30;
const LONGEST_NAME = 120;
const BARE_AXIS = {showticklabels: false, showgrid: false, zeroline: false, showline: false};

/**
 * @typedef {object} Level what is known of a level's entries
 * @property {Int32Array} counts uses of each
 * @property {Float32Array} loudness in dB
 * @property {Float32Array} brightness in Hz
 * @property {Int32Array} main the file it is mostly in; below 0 for none
 * @property {number[]} dead entries that are never used
 */
/** @typedef {"use" | "loudness" | "brightness" | "file"} Colouring */

/** @type {Record<Colouring, {label: string, title: string, of: ((l: Level) => ArrayLike<number>) | null}>} */
export const COLOURINGS = {
  use: {label: "use", title: "uses", of: (level) => level.counts},
  loudness: {label: "loudness", title: "dB", of: (level) => level.loudness},
  brightness: {label: "brightness", title: "Hz", of: (level) => level.brightness},
  file: {label: "main file", title: "", of: null},
};

/** @param {Answer<LevelFacts>} answer @returns {Level} */
export function levelOf({buffers, dead}) {
  const [counts, loudness, brightness, main] = buffers;
  return {
    counts: numbers(counts, Int32Array),
    loudness: numbers(loudness, Float32Array),
    brightness: numbers(brightness, Float32Array),
    main: numbers(main, Int32Array),
    dead,
  };
}

/** @param {Level} level @param {number} entry @param {string[]} names of files */
function entryText(level, entry, names) {
  const uses = level.counts[entry];
  const main = shownText(names[level.main[entry]] ?? "?", LONGEST_NAME);
  return [
    `entry ${entry}`,
    `used ${uses} ×${uses ? "" : ", never"}`,
    ...(uses ? [`mostly in ${main}`] : []),
    `${fixed(level.brightness[entry])} Hz, ${fixed(level.loudness[entry])} dB`,
  ].join("\n");
}

/** @param {Level} level @param {number[]} used @param {Colouring} colouring */
function markerColours(level, used, colouring) {
  const {of, title} = COLOURINGS[colouring];
  if (!of) return {color: used.map((entry) => colourOf(level.main[entry]))};
  const values = of(level);
  return {
    color: used.map((entry) => values[entry]),
    colorscale: SCALE,
    colorbar: {...SLIM, title: {text: title, side: "right"}, x: 1.01},
  };
}

/** Sizes by the root of the use: areas by the use. */
/** @param {Level} level @param {number[]} used */
function markerSizes(level, used) {
  const most = Math.max(1, ...level.counts);
  const share = (/** @type {number} */ entry) => Math.sqrt(level.counts[entry] / most);
  return used.map((entry) => SMALLEST_PX + (LARGEST_PX - SMALLEST_PX) * share(entry));
}

/**
 * Entries on a plane, entries alike beside each other.
 *
 * @param {Element} el
 * @param {Level} level
 * @param {Float32Array} places (entry, 2)
 * @param {{colouring: Colouring, entry: number | null}} chosen
 * @param {string[]} names of files
 * @returns {Picture}
 */
export function mapPicture(el, level, places, chosen, names) {
  const used = [...level.counts.keys()].filter((entry) => level.counts[entry]);
  used.sort((a, b) => level.counts[b] - level.counts[a]); // small ones are not hidden
  /** @param {number[]} entries @param {string} name @param {Json} marker */
  const points = (entries, name, marker) => ({
    type: "scatter",
    mode: "markers",
    name,
    x: entries.map((entry) => places[2 * entry]),
    y: entries.map((entry) => places[2 * entry + 1]),
    customdata: entries,
    text: entries.map((entry) => entryText(level, entry, names)),
    hovertemplate: "%{text}<extra></extra>",
    marker,
  });
  const ring = {size: 36, symbol: "circle-open", color: themeColour(el, "var(--distill-ink)")};
  const cross = {color: themeColour(el, "var(--distill-muted)"), width: 1.2};
  const marker = {
    size: markerSizes(level, used),
    opacity: 0.88,
    line: {width: 1, color: themeColour(el, "var(--distill-ground)")},
    ...markerColours(level, used, chosen.colouring),
  };
  const around = points(chosen.entry === null ? [] : [chosen.entry], "chosen", {
    ...ring,
    line: {width: 2},
  });
  return {
    data: [
      points(used, "used", marker),
      points(level.dead, "never used", {size: 7, symbol: "x-thin", line: cross}),
      {...around, hoverinfo: "skip", hovertemplate: null},
    ],
    layout: {
      margin: {l: 8, r: 8, t: 8, b: 8},
      showlegend: false,
      hovermode: "closest",
      xaxis: BARE_AXIS,
      yaxis: BARE_AXIS,
    },
  };
}
