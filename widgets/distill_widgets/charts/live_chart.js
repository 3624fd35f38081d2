// @ts-check
// A plotly chart, fed by the cursor protocol.
/** @import {Model, PlotBox, Plotly, Shown, Store, View} from "../page/types" */
/** @import {Points} from "./cursor" */
/** @import {Settings, Spec} from "./figure" */

import {fitToBox, plot} from "../page/plotly_draw.js";
import {askForPlotly, plotlyOf, receivePlotly} from "../page/plotly_load.js";
import {closeStore, keepInTouch, openStore, send, storeOf} from "../page/store.js";
import {element, shownText} from "../page/text.js";
import {markDarkness, onThemeChange, themeColour} from "../page/theme.js";
import {toolbar} from "./chart_bar.js";
import {noPoints, pointCount, syncMessage, take} from "./cursor.js";
import {restAfter, waitBeforeDrawing} from "./draw_pace.js";
import {layoutOf, tracesOf} from "./figure.js";

const LONGEST_SNAPSHOT = 500_000;
const START_AGAIN_MS = 100;

/** @typedef {{name: string, spec: Spec, plotly_version: string, snapshot: string}} Traits */
/**
 * @typedef {Store & Settings & {
 *   points: Points, gaps: number, synced: boolean, revision: number, sync: () => void
 * }} ChartStore
 */

/** @param {Shown<Traits>} shown */
function initialize({model}) {
  const spec = model.get("spec");
  /** @type {ChartStore} */
  const store = openStore(model, {
    points: noPoints(spec.traces),
    smoothing: spec.smoothing ?? 0,
    log: false,
    gaps: 0,
    synced: false,
    revision: 0,
    sync: () => send(model, syncMessage(store.points)),
  });
  /** @param {import("../page/messages").Data} message @param {DataView[]} buffers */
  function receive(message, buffers) {
    if (message.type !== "data") return;
    store.synced = take(store.points, message, buffers);
    if (!store.synced) {
      store.gaps += 1;
      store.sync();
    }
    for (const view of store.views) view.changed?.();
  }
  model.on("msg:custom", receive);
  const leave = [keepInTouch(model, store, store.sync), receivePlotly(model)];
  return () => {
    for (const end of leave) end();
    model.off("msg:custom", receive);
    closeStore(model, store);
  };
}

/**
 * As an image: nothing in it can run or load anything, and no page can be led to it.
 *
 * @param {HTMLElement} el
 * @param {HTMLElement} box
 * @param {string} svg
 */
function showSnapshot(el, box, svg) {
  const image = element("img", "distill-snapshot");
  const ink = themeColour(el, "var(--distill-ink)");
  const drawn = String(svg).slice(0, LONGEST_SNAPSHOT).replaceAll("currentColor", ink);
  image.alt = shownText(el.dataset.name);
  image.src = `data:image/svg+xml,${encodeURIComponent(drawn.replace(/[\ud800-\udfff]/gu, "?"))}`;
  box.replaceChildren(image);
}

/** One place on a page that shows a chart. */
class ChartView {
  /** @param {Model<Traits>} model @param {HTMLElement} el */
  constructor(model, el) {
    /** @type {ChartStore} */
    this.store = storeOf(model);
    this.model = model;
    this.el = el;
    this.spec = model.get("spec");
    this.began = performance.now();
    this.isGone = false;
    this.isDrawing = false;
    this.isStale = true; // what is drawn is not what there is
    this.freeAt = 0; // until then the page has drawn enough
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.waiting = undefined;
    /** @type {Plotly | null} */
    this.plotly = null;
    /** @type {PlotBox} */
    this.box = element("div", "distill-chart-box");
    this.empty = element("div", "distill-chart-empty", this.spec.empty ?? "");
    this.ink = "";
  }

  /** Lays it out and begins; returns what ends it. */
  open() {
    const {el, model, box, empty} = this;
    el.classList.add("distill", "distill-chart");
    el.dataset.name = model.get("name");
    markDarkness(el);
    this.ink = themeColour(el, "var(--distill-ink)");
    box.style.height = `${this.spec.height}px`;
    empty.hidden = true; // until the kernel has said that there is nothing
    const bar = toolbar(model.get("name"), this.spec, this.store, () => this.drawNow());
    el.append(bar, box, empty);
    el.dataset.status = this.snapshot() ? "snapshot" : "loading plotly";
    /** @type {View} */
    const view = {changed: () => this.changed()};
    this.store.views.add(view);
    this.store.sync();
    this.load();
    const leave = this.watch();
    return () => {
      this.isGone = true;
      clearTimeout(this.waiting);
      this.store.views.delete(view);
      leave();
      this.plotly?.purge(box);
    };
  }

  /** Follows the theme, the size and whether anybody sees it; returns what ends that. */
  watch() {
    const seen = () => this.seen();
    const themed = onThemeChange(() => this.themed());
    const sizes = new ResizeObserver(() => {
      fitToBox(this.plotly, this.box);
      seen();
    });
    sizes.observe(this.box);
    document.addEventListener("visibilitychange", seen);
    return () => {
      themed();
      sizes.disconnect();
      document.removeEventListener("visibilitychange", seen);
    };
  }

  /** Shows the picture that a saved notebook has; whether there is one. */
  snapshot() {
    const svg = this.model.get("snapshot");
    if (svg) showSnapshot(this.el, this.box, svg);
    return Boolean(svg);
  }

  async load() {
    const load = plotlyOf(this.model.get("plotly_version"));
    askForPlotly(this.model, load, () => this.isGone);
    const plotly = await load.loaded;
    if (this.isGone) return;
    this.el.dataset.plotly = load.source;
    this.start(plotly);
  }

  /** @param {Plotly} plotly */
  start(plotly) {
    if (this.isGone) return;
    if (!this.store.synced) {
      setTimeout(() => this.start(plotly), START_AGAIN_MS); // the snapshot stays until there is more
      return;
    }
    this.box.replaceChildren();
    this.plotly = plotly;
    this.changed();
  }

  changed() {
    this.mark();
    this.isStale = true;
    clearTimeout(this.waiting);
    const wait = waitBeforeDrawing(this.freeAt, performance.now());
    this.waiting = setTimeout(() => this.draw(), wait);
  }

  /** Says on the element what it has; tests read it. */
  mark() {
    const {el, store} = this;
    const count = pointCount(store.points);
    el.dataset.seq = String(store.points.seq);
    el.dataset.gaps = String(store.gaps);
    el.dataset.points = String(count);
    if (this.plotly && store.synced) el.dataset.status = "live";
    this.empty.hidden = count > 0 || !store.synced;
  }

  isVisible() {
    return !document.hidden && this.box.isConnected && this.box.clientWidth > 0;
  }

  async draw() {
    this.waiting = undefined;
    if (this.isGone || !this.plotly || this.isDrawing) return;
    if (!this.isVisible()) {
      this.isStale = true;
      return;
    }
    this.isStale = false;
    const start = performance.now();
    const points = this.el.dataset.points;
    const ink = themeColour(this.el, "var(--distill-ink)");
    await this.plot(this.plotly);
    if (!this.isGone) this.drawn(performance.now() - start, points, ink);
  }

  /** @param {Plotly} plotly */
  async plot(plotly) {
    const {store, spec, el} = this;
    this.isDrawing = true;
    store.revision += 1;
    try {
      const layout = layoutOf(store.points, spec, store, el);
      const traces = tracesOf(store.points, spec, store, el);
      await plot(plotly, this.box, traces, {...layout, datarevision: store.revision});
    } catch (error) {
      console.warn("distill: a chart could not be drawn", error);
    } finally {
      this.isDrawing = false;
    }
  }

  /**
   * @param {number} cost in ms
   * @param {string | undefined} points
   * @param {string} ink
   */
  drawn(cost, points, ink) {
    const {dataset} = this.el;
    const isFirst = dataset.drawn === undefined;
    const now = performance.now();
    const rest = restAfter(cost, navigator.hardwareConcurrency ?? 4, now - this.began);
    this.freeAt = now + (isFirst ? 0 : rest);
    dataset.drawn = points;
    dataset.ink = ink;
    dataset.drawMs = cost.toFixed(1);
    dataset.paintedMs ??= (performance.now() - this.began).toFixed(0);
    if (this.isStale) this.changed();
  }

  drawNow() {
    this.isStale = true; // a drawing under way is followed by another
    clearTimeout(this.waiting);
    this.draw();
  }

  seen() {
    if (this.isStale && this.plotly) this.drawNow();
  }

  themed() {
    markDarkness(this.el);
    const before = this.ink;
    this.ink = themeColour(this.el, "var(--distill-ink)");
    // Stale with that ink already: the page was hidden for the moment in which its theme changed.
    if (this.ink === before && !this.isStale) return;
    if (this.plotly) this.drawNow();
    else this.snapshot();
  }
}

/** @param {Shown<Traits>} shown */
function render({model, el}) {
  return new ChartView(model, el).open();
}

export default {initialize, render};
