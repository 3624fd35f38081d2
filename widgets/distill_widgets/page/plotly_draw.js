// @ts-check
// What plotly draws on our pages: texts as texts, colours of the theme, nothing that is loaded.
/** @import {Json, PlotBox, Plotly} from "./types" */

import {shownText} from "./text.js";
import {themeColour} from "./theme.js";

const NO_EXTRA = "<extra></extra>";
const LONGEST_PLOTTED = 400;
/** @type {Record<string, string>} two $ are a formula */
const SIGNS = {"<": "&lt;", ">": "&gt;", "&": "&amp;", $: "&#36;", "\n": "<br>"};
const KINDS = new Set(["scatter", "heatmap"]);
const LOADING = ["images", "template", "updatemenus", "sliders", "mapbox", "map", "geo"];

/** A colour bar that leaves the room to the picture. */
export const SLIM = {thickness: 8, outlinewidth: 0, len: 0.6, tickfont: {size: 10}};

/**
 * Plotly takes texts for markup of its own, with links; see `plotly_text` in plotly_text.py.
 *
 * @param {string} text
 */
function plotlyText(text) {
  return shownText(text, LONGEST_PLOTTED).replace(/[<>&$\n]/g, (sign) => SIGNS[sign]);
}

/** @param {Json} part */
function isPlain(part) {
  return part === null || (typeof part !== "object" && typeof part !== "string");
}

/** @param {Json} part */
function isTree(part) {
  return Boolean(part) && typeof part === "object" && !ArrayBuffer.isView(part);
}

/**
 * A tree of JSON with every entry changed.
 *
 * @param {object} part
 * @param {(key: string, item: Json) => Json} change
 */
function mapped(part, change) {
  return Object.fromEntries(Object.entries(part).map(([key, item]) => [key, change(key, item)]));
}

/**
 * A figure in which every text is text: whoever made it, and whatever file its names come from.
 *
 * @param {Json} part
 * @returns {Json}
 */
export function safe(part) {
  if (typeof part === "string") return plotlyText(part);
  if (Array.isArray(part)) return part.every(isPlain) ? part : part.map(safe);
  if (!isTree(part)) return part;
  return mapped(part, (key, item) => (key === "hovertemplate" ? safeTemplate(item) : safe(item)));
}

/** @param {Json} text */
function safeTemplate(text) {
  if (typeof text !== "string" || !text.endsWith(NO_EXTRA)) return safe(text);
  return plotlyText(text.slice(0, -NO_EXTRA.length)) + NO_EXTRA;
}

/**
 * The one way in which plotly draws: lines, points and tables of numbers, nothing that is loaded.
 *
 * @param {Plotly} plotly
 * @param {HTMLElement} box
 * @param {Json[]} data
 * @param {Json} layout
 */
export function plot(plotly, box, data, layout) {
  const traces = data.filter((trace) => KINDS.has(trace.type)).map(safe);
  const laid = safe(layout);
  for (const key of LOADING) delete laid[key];
  return plotly.react(box, traces, laid, {displaylogo: false, responsive: false});
}

/**
 * Names of theme colours replaced by the colours.
 *
 * @param {Element} el
 * @param {Json} part
 * @returns {Json}
 */
export function coloured(el, part) {
  if (typeof part === "string") return part.startsWith("var(") ? themeColour(el, part) : part;
  if (Array.isArray(part)) return part.map((item) => coloured(el, item));
  return isTree(part) ? mapped(part, (_key, item) => coloured(el, item)) : part;
}

/** @param {Element} el */
export function plainAxis(el) {
  const grid = themeColour(el, "var(--distill-grid)");
  return {gridcolor: grid, linecolor: grid, zeroline: false, automargin: true};
}

/** @param {Element} el */
export function plainLayout(el) {
  /** @param {string} name */
  const colour = (name) => themeColour(el, `var(--distill-${name})`);
  const clear = "rgba(0,0,0,0)";
  return {
    paper_bgcolor: clear,
    plot_bgcolor: clear,
    autosize: true,
    font: {color: colour("muted"), family: getComputedStyle(el).fontFamily, size: 11},
    modebar: {bgcolor: clear, color: colour("muted"), activecolor: colour("accent")},
    hoverlabel: {
      bgcolor: colour("ground"),
      bordercolor: colour("grid"),
      font: {color: colour("ink")},
    },
  };
}

/**
 * Fits what is drawn in a box to the box; false where nothing has been drawn yet.
 *
 * @param {Plotly | null} plotly
 * @param {PlotBox} box
 */
export function fitToBox(plotly, box) {
  if (!plotly || !box._fullLayout || !box.clientWidth) return false;
  if (Math.abs(box._fullLayout.width - box.clientWidth) > 1) plotly.Plots.resize(box);
  return true;
}
