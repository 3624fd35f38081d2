// @ts-check
// What the explorer gives plotly: a map of entries, their use, tables of pairs and of files.
/** @import {LevelFacts, NamesFacts, PairsFacts} from "../page/messages" */
/** @import {Answer, Json} from "../page/types" */

import {fixed} from "../page/amounts.js";
import {numbers} from "../page/buffers.js";
import {colourOf, SCALE} from "../page/colours.js";
import {plainAxis} from "../page/plotly_draw.js";
import {shownText} from "../page/text.js";
import {themeColour} from "../page/theme.js";

const SMALLEST_PX = 6;
const LARGEST_PX = 30;
const LONGEST_NAME = 120;
const MOST_NAMED_FILES = 40;
const BARE_AXIS = {showticklabels: false, showgrid: false, zeroline: false, showline: false};
const SLIM = {thickness: 8, outlinewidth: 0, len: 0.6, tickfont: {size: 10}};

/**
 * @typedef {object} Level what is known of a level's entries
 * @property {Int32Array} counts uses of each
 * @property {Float32Array} loudness in dB
 * @property {Float32Array} brightness in Hz
 * @property {Int32Array} main the file it is mostly in; below 0 for none
 * @property {number[]} dead entries that are never used
 */
/** @typedef {{data: Json[], layout: Json}} Picture */
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

/**
 * @param {Int32Array | Float32Array} flat
 * @param {number} columns
 */
export function rowsOf(flat, columns) {
  return Array.from({length: flat.length / columns}, (_, row) =>
    Array.from(flat.subarray(row * columns, (row + 1) * columns)),
  );
}

// --- the map --------------------------------------------------------------------------------

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

// --- tables ---------------------------------------------------------------------------------

/** @param {Element} el */
function groundScale(el) {
  // What the accent stands out from.
  const least = el.classList.contains("distill-dark") ? "ground" : "raised";
  return [
    [0, themeColour(el, `var(--distill-${least})`)],
    [1, themeColour(el, "var(--distill-accent)")],
  ];
}

/**
 * Counts differ by thousands: their logarithm is drawn, they themselves are shown. Names go into a
 * template by `meta`, never into its text, where a % would ask for something.
 *
 * @param {Element} el
 * @param {number[][]} rows
 * @param {string} template
 */
function countTable(el, rows, template) {
  return {
    type: "heatmap",
    z: rows.map((row) => row.map((count) => Math.log10(1 + count))),
    customdata: rows,
    colorscale: groundScale(el),
    showscale: false,
    hovertemplate: `${template}<extra></extra>`,
  };
}

/** @param {string} text */
function axisTitle(text) {
  return {text, standoff: 6};
}

/**
 * Uses of the entries of every level, the most used first.
 *
 * @param {Element} el
 * @param {string[]} labels
 * @param {number[][]} order (level, place) entries
 * @param {number[][]} counts (level, place)
 * @returns {Picture}
 */
export function usagePicture(el, labels, order, counts) {
  const axis = {...plainAxis(el), showgrid: false};
  const table = countTable(el, counts, "%{y}, entry %{text}: %{customdata} ×");
  return {
    data: [{...table, y: labels, text: order, ygap: 3}],
    layout: {
      margin: {l: 8, r: 8, t: 8, b: 36},
      xaxis: {...axis, title: axisTitle("entries, the most used first")},
      yaxis: {...axis, autorange: "reversed", type: "category"},
    },
  };
}

/**
 * Uses against the place in the order of uses, both logarithmic.
 *
 * @param {Element} el
 * @param {string[]} labels
 * @param {number[][]} counts (level, place)
 * @param {string[]} colours of the levels
 * @returns {Picture}
 */
export function rankPicture(el, labels, counts, colours) {
  const axis = {...plainAxis(el), type: "log", dtick: 1};
  return {
    data: counts.map((row, level) => rankLine(row.filter(Boolean), labels[level], colours[level])),
    layout: {
      margin: {l: 8, r: 8, t: 24, b: 36},
      showlegend: true,
      legend: {orientation: "h", x: 0, y: 1, yanchor: "bottom"},
      xaxis: {...axis, title: axisTitle("place")},
      yaxis: {...axis, title: axisTitle("uses")},
    },
  };
}

/** @param {number[]} used @param {string} name @param {string} color */
function rankLine(used, name, color) {
  return {
    type: "scatter",
    mode: "lines",
    name,
    x: used.map((_, i) => i + 1),
    y: used,
    line: {color, width: 2},
    meta: [name],
    hovertemplate: "%{meta[0]}, place %{x}: %{y} ×<extra></extra>",
  };
}

/**
 * How often entries stand together.
 *
 * @param {Element} el
 * @param {Answer<PairsFacts>} answer
 * @param {string} rowName
 * @param {string} columnName
 * @returns {Picture}
 */
export function pairsPicture(el, answer, rowName, columnName) {
  const rows = rowsOf(numbers(answer.buffers[0], Int32Array), answer.columns.length);
  const table = countTable(el, rows, "%{meta[0]} %{y} – %{meta[1]} %{x}: %{customdata} ×");
  const axis = {...plainAxis(el), showgrid: false, type: "category", nticks: 12};
  return {
    data: [
      {
        ...table,
        x: answer.columns.map(String),
        y: answer.rows.map(String),
        meta: [rowName, columnName],
      },
    ],
    layout: {
      margin: {l: 8, r: 8, t: 8, b: 36},
      hovermode: "closest",
      xaxis: {...axis, title: axisTitle(`${columnName}, entries by use`)},
      yaxis: {...axis, autorange: "reversed", title: axisTitle(`${rowName}, entries by use`)},
    },
  };
}

/**
 * How alike files are.
 *
 * @param {Element} el
 * @param {Answer<NamesFacts>} answer to `files`
 * @returns {Picture}
 */
export function filesPicture(el, {buffers, names}) {
  const rows = rowsOf(numbers(buffers[0], Float32Array), names.length);
  const places = names.map((_, i) => i);
  const axis = {
    ...plainAxis(el),
    showgrid: false,
    showticklabels: names.length <= MOST_NAMED_FILES,
    tickvals: places,
    ticktext: names,
    tickfont: {size: 9},
  };
  return {
    data: [
      {
        type: "heatmap",
        z: rows,
        x: places,
        y: places,
        customdata: names.map((row) => names.map((column) => [row, column])),
        zmin: 0,
        zmax: 1,
        colorscale: groundScale(el),
        colorbar: SLIM,
        hovertemplate: "%{customdata[0]} and %{customdata[1]}: %{z:.2f}<extra></extra>",
      },
    ],
    layout: {
      margin: {l: 8, r: 8, t: 8, b: 8},
      hovermode: "closest",
      xaxis: {...axis, tickangle: -60},
      yaxis: {...axis, autorange: "reversed"},
    },
  };
}
