// @ts-check
// plotly.js, once a page, for every widget that draws with it; and what all its charts look like.

import {SHARED, shownText, tell, themeColour} from "./common.js";

const PLOTLY_ASK_MS = 5000;

async function runScript(blob) {
  const before = globalThis.Plotly;
  const url = URL.createObjectURL(new Blob([blob], {type: "text/javascript"}));
  await new Promise((done, failed) => {
    const script = Object.assign(document.createElement("script"), {src: url});
    script.onload = done;
    script.onerror = () => failed(new Error("plotly.js did not load"));
    document.head.appendChild(script);
  });
  URL.revokeObjectURL(url);
  const ours = globalThis.Plotly;
  if (before) globalThis.Plotly = before;
  return ours;
}

async function openCache() {
  try {
    return await globalThis.caches?.open("distill"); // none over plain http, but on localhost
  } catch {
    return null;
  }
}

export function plotlyOf(version) {
  if (SHARED.plotly) return SHARED.plotly;
  const shared = (SHARED.plotly = {state: "wait", source: ""});
  shared.loaded = new Promise((done) => (shared.done = done));
  const key = `/distill/plotly-${version}`;
  shared.give = async (packed, source) => {
    if (shared.state !== "wait") return;
    shared.state = "loading";
    shared.source = source;
    const unpacked = packed.stream().pipeThrough(new DecompressionStream("gzip"));
    try {
      shared.done(await runScript(await new Response(unpacked).blob()));
      shared.state = "ready";
    } catch (error) {
      console.warn("distill:", error);
      shared.state = "wait"; // a damaged copy: the kernel is asked next
      return;
    }
    if (source === "kernel") (await openCache())?.put(key, new Response(packed)).catch(() => {});
  };
  shared.looked = openCache()
    .then((cache) => cache?.match(key))
    .then(async (found) => found && shared.give(await found.blob(), "cache"))
    .catch(() => {});
  return shared;
}

// Asks the kernel for plotly.js until the page has it.
export async function askForPlotly(model, shared, isGone) {
  await shared.looked;
  while (shared.state === "wait" && !isGone()) {
    const now = performance.now();
    if (!(now - shared.asked < shared.patience)) {
      // several charts, one question
      shared.patience = Math.min(2 * (shared.patience ?? PLOTLY_ASK_MS / 2), 60_000);
      shared.asked = now;
      tell(model, {type: "plotly"});
    }
    await new Promise((done) => setTimeout(done, 500));
  }
}

// --- what it draws ---------------------------------------------------------------------------------

const NO_EXTRA = "<extra></extra>",
  LONGEST_PLOTTED = 400;
const SIGNS = {"<": "&lt;", ">": "&gt;", "&": "&amp;", $: "&#36;", "\n": "<br>"}; // two $ are a formula
const KINDS = new Set(["scatter", "heatmap"]);
const LOADING = ["images", "template", "updatemenus", "sliders", "mapbox", "map", "geo"];

// Plotly takes texts for markup of its own, with links; see `plotly_text` in plotly_text.py.
function plotlyText(text) {
  return shownText(text, LONGEST_PLOTTED).replace(/[<>&$\n]/g, (sign) => SIGNS[sign]);
}

// A figure in which every text is text: whoever made it, and whatever file its names come from.
function safe(part) {
  if (typeof part === "string") return plotlyText(part);
  if (Array.isArray(part)) {
    const plain = part.every(
      (item) => item === null || (typeof item !== "object" && typeof item !== "string"),
    );
    return plain ? part : part.map(safe);
  }
  if (part && typeof part === "object" && !ArrayBuffer.isView(part)) {
    return Object.fromEntries(
      Object.entries(part).map(([key, item]) => [
        key,
        key === "hovertemplate" ? safeTemplate(item) : safe(item),
      ]),
    );
  }
  return part;
}

function safeTemplate(text) {
  if (typeof text !== "string" || !text.endsWith(NO_EXTRA)) return safe(text);
  return plotlyText(text.slice(0, -NO_EXTRA.length)) + NO_EXTRA;
}

// The one way in which plotly draws: lines, points and tables of numbers, nothing that is loaded.
export function plot(plotly, box, data, layout) {
  const traces = data.filter((trace) => KINDS.has(trace.type)).map(safe),
    laid = safe(layout);
  LOADING.forEach((key) => delete laid[key]);
  return plotly.react(box, traces, laid, {displaylogo: false, responsive: false});
}

// --- the look -----------------------------------------------------------------------------------

// Names of theme colours replaced by the colours.
export function coloured(el, part) {
  if (typeof part === "string") return part.startsWith("var(") ? themeColour(el, part) : part;
  if (Array.isArray(part)) return part.map((item) => coloured(el, item));
  if (part && typeof part === "object") {
    return Object.fromEntries(Object.entries(part).map(([key, item]) => [key, coloured(el, item)]));
  }
  return part;
}

export function plainAxis(el) {
  const grid = themeColour(el, "var(--distill-grid)");
  return {gridcolor: grid, linecolor: grid, zeroline: false, automargin: true};
}

export function plainLayout(el) {
  const colour = (name) => themeColour(el, `var(--distill-${name})`);
  return {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    autosize: true,
    font: {color: colour("muted"), family: getComputedStyle(el).fontFamily, size: 11},
    modebar: {bgcolor: "rgba(0,0,0,0)", color: colour("muted"), activecolor: colour("accent")},
    hoverlabel: {
      bgcolor: colour("ground"),
      bordercolor: colour("grid"),
      font: {color: colour("ink")},
    },
  };
}
