// @ts-check
// plotly.js, once a page, for every widget that draws with it.
/** @import {Model, Plotly, PlotlyLoad} from "./types" */

import {SHARED, send} from "./store.js";

const ASK_MS = 5000;
const LONGEST_PATIENCE_MS = 60_000;
const POLL_MS = 500;
// On a page with RequireJS, as the classic Notebook, plotly.js would hand itself over to that.
const HIDE_DEFINE =
  "globalThis.distillDefine = globalThis.define; globalThis.define = undefined;\n";
const SHOW_DEFINE = "\n;globalThis.define = globalThis.distillDefine;\n";

/** @param {Blob} blob */
function runScript(blob) {
  const parts = [HIDE_DEFINE, blob, SHOW_DEFINE];
  const url = URL.createObjectURL(new Blob(parts, {type: "text/javascript"}));
  const script = Object.assign(document.createElement("script"), {src: url});
  return new Promise((done, failed) => {
    script.onload = done;
    script.onerror = () => failed(new Error("plotly.js did not load"));
    document.head.appendChild(script);
  }).finally(() => URL.revokeObjectURL(url));
}

/**
 * Runs plotly.js and leaves whichever Plotly the page had where it was.
 *
 * @param {Blob} packed gzip
 * @returns {Promise<Plotly>}
 */
async function runPlotly(packed) {
  const unpacked = packed.stream().pipeThrough(new DecompressionStream("gzip"));
  const before = globalThis.Plotly;
  await runScript(await new Response(unpacked).blob());
  const ours = globalThis.Plotly;
  if (before) globalThis.Plotly = before;
  if (!ours) throw new Error("plotly.js did not bring Plotly");
  return ours;
}

/** The browser's own store; there is none over plain http, but on localhost. */
async function openCache() {
  try {
    return await globalThis.caches?.open("distill");
  } catch {
    return undefined;
  }
}

/** @param {string} key @param {Blob} packed */
async function keepInCache(key, packed) {
  const cache = await openCache();
  await cache?.put(key, new Response(packed)).catch(() => {});
}

/** @param {string} key @param {PlotlyLoad} load */
async function lookInCache(key, load) {
  const cache = await openCache();
  const found = await cache?.match(key);
  if (found) await load.give(await found.blob(), "cache");
}

/**
 * plotly.js of a version, on its way onto this page; the first who asks begins it.
 *
 * @param {string} version
 * @returns {PlotlyLoad}
 */
export function plotlyOf(version) {
  SHARED.plotly ??= beginLoad(`/distill/plotly-${version}`);
  return SHARED.plotly;
}

/** @param {string} key of the cache @returns {PlotlyLoad} */
function beginLoad(key) {
  /** @type {(plotly: Plotly) => void} */
  let done = () => {};
  /** @type {PlotlyLoad} */
  const load = {
    state: "wait",
    source: "",
    loaded: new Promise((resolve) => {
      done = resolve;
    }),
    cacheRead: Promise.resolve(),
    asked: Number.NEGATIVE_INFINITY,
    patience: ASK_MS / 2,
    async give(packed, source) {
      if (load.state !== "wait") return;
      load.state = "loading";
      load.source = source;
      try {
        done(await runPlotly(packed));
        load.state = "ready";
      } catch (error) {
        console.warn("distill:", error);
        load.state = "wait"; // a damaged copy: the kernel is asked next
        return;
      }
      if (source === "kernel") await keepInCache(key, packed);
    },
  };
  load.cacheRead = lookInCache(key, load).catch(() => {});
  return load;
}

/**
 * Asks the kernel for plotly.js until the page has it; several charts ask one question.
 *
 * @param {Model<any>} model
 * @param {PlotlyLoad} load
 * @param {() => boolean} isGone
 */
export async function askForPlotly(model, load, isGone) {
  await load.cacheRead;
  while (load.state === "wait" && !isGone()) {
    const now = performance.now();
    if (now - load.asked >= load.patience) {
      load.patience = Math.min(2 * load.patience, LONGEST_PATIENCE_MS);
      load.asked = now;
      send(model, {type: "plotly"});
    }
    await new Promise((done) => setTimeout(done, POLL_MS));
  }
}

/**
 * Takes plotly.js when the kernel sends it; returns what ends that.
 *
 * @param {Model<{plotly_version: string}>} model
 */
export function receivePlotly(model) {
  /** @param {{type: string}} message @param {DataView<ArrayBuffer>[]} buffers */
  function receive(message, buffers) {
    if (message.type !== "plotly") return;
    plotlyOf(model.get("plotly_version")).give(new Blob([buffers[0]]), "kernel");
  }
  model.on("msg:custom", receive);
  return () => model.off("msg:custom", receive);
}
