// @ts-check
// What the explorer gives plotly beside its map: use by level and rank, tables of pairs and files.
/** @import {NamesFacts, PairsFacts} from "../page/messages" */
/** @import {Answer, Picture} from "../page/types" */

import {numbers} from "../page/buffers.js";
import {plainAxis, SLIM} from "../page/plotly_draw.js";
import {themeColour} from "../page/theme.js";

const MOST_NAMED_FILES = 40;

/**
 * @param {Int32Array | Float32Array} flat
 * @param {number} columns
 */
export function rowsOf(flat, columns) {
  return Array.from({length: flat.length / columns}, (_, row) =>
    Array.from(flat.subarray(row * columns, (row + 1) * columns)),
  );
}

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
