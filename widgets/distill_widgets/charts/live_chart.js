// @ts-check
// A plotly chart fed by a cursor protocol: the page says how many points of each trace it has, the
// kernel sends what is missing. Every message may come twice, late, or not at all.

import {
  closeStore,
  element,
  keepInTouch,
  markDarkness,
  onThemeChange,
  openStore,
  shownText,
  storeOf,
  tell,
  themeColour,
} from "../page/common.js";
import {
  askForPlotly,
  coloured,
  plainAxis,
  plainLayout,
  plot,
  plotlyOf,
} from "../page/plotly_page.js";

const DRAW_SHARE = 100; // a page draws at most a hundredth of the time: training needs the rest
const LONGEST_WAIT_MS = 3000,
  LONGEST_SNAPSHOT = 500_000;

// --- what the page has ------------------------------------------------------------------------

function newChart(model) {
  const {traces, smoothing} = model.get("spec");
  return openStore(model, {
    x: traces.map(() => []),
    y: traces.map(() => []),
    mean: traces.map(() => []),
    weights: [],
    epoch: "",
    marks: -1,
    layout: {},
    seq: -1,
    gaps: 0,
    synced: false,
    smoothing: smoothing ?? 0,
    smooth: traces.map((trace) => Boolean(trace.smooth)),
    log: false,
    revision: 0,
  });
}

function floats(buffer) {
  const bytes = buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + buffer.byteLength);
  return new Float32Array(bytes); // a copy: the message's own buffers are not aligned
}

// Takes what a message brings; false where something before it is missing.
function take(store, message, buffers) {
  if (message.epoch !== store.epoch) {
    store.x.forEach((x) => (x.length = 0));
    store.y.forEach((y) => (y.length = 0));
    store.mean.forEach((mean) => (mean.length = 0));
    store.epoch = message.epoch;
  }
  const whole = message.parts.every(([trace, start]) => start <= store.x[trace].length);
  if (!whole) return false;
  let next = 0;
  message.parts.forEach(([trace, start]) => {
    const skip = store.x[trace].length - start;
    for (const column of store.smooth[trace]
      ? [store.x, store.y, store.mean]
      : [store.x, store.y]) {
      for (const value of floats(buffers[next]).subarray(skip)) column[trace].push(value);
      next += 1;
    }
  });
  store.weights = message.weights;
  if (message.layout && message.marks > store.marks) {
    store.layout = message.layout;
    store.marks = message.marks;
  }
  store.seq = Math.max(store.seq, message.seq);
  return true;
}

function initialize({model}) {
  const store = newChart(model);
  store.sync = () =>
    tell(model, {
      type: "sync",
      cursor: store.x.map((x) => x.length),
      epoch: store.epoch,
      marks: store.marks,
    });
  const receive = (message, buffers) => {
    if (message.type === "plotly")
      plotlyOf(model.get("plotly_version")).give(new Blob([buffers[0]]), "kernel");
    if (message.type !== "data") return;
    store.synced = take(store, message, buffers);
    if (!store.synced) {
      store.gaps += 1;
      store.sync();
    }
    store.views.forEach((view) => view.changed());
  };
  model.on("msg:custom", receive);
  const leave = keepInTouch(model, store, store.sync);
  return () => {
    leave();
    model.off("msg:custom", receive);
    closeStore(model, store);
  };
}

// --- what plotly is given ---------------------------------------------------------------------

// Exponential moving average without the lag of its start.
function smoothed(values, weight) {
  let sum = 0,
    total = 0;
  return values.map((value) => {
    if (!Number.isFinite(value)) return value;
    sum = weight * sum + (1 - weight) * value;
    total = weight * total + (1 - weight);
    return sum / total;
  });
}

function tracesOf(store, spec, el) {
  return spec.traces.flatMap((trace, i) => {
    const {smooth, ...plain} = coloured(el, trace);
    const drawn = {...plain, x: store.x[i], y: store.y[i], uid: `t${i}`};
    if (!smooth) return [drawn];
    const faint = {
      ...drawn,
      uid: `r${i}`,
      showlegend: false,
      hoverinfo: "skip",
      opacity: store.smoothing ? 0.3 : 0,
    };
    // A thinned point stands for many steps: the average reaches over as many steps as before.
    const past = store.smoothing ** (store.weights[i] ?? 1);
    return [faint, {...drawn, y: store.smoothing ? smoothed(store.mean[i], past) : store.y[i]}];
  });
}

function layoutOf(store, spec, el) {
  const base = coloured(el, {...spec.layout, ...store.layout});
  for (const [name, axis] of Object.entries(base)) {
    if (!/^[xy]axis/.test(name)) continue;
    const log = store.log && axis.loggable ? {type: "log"} : {};
    const {loggable, ...plain} = axis;
    base[name] = {...plainAxis(el), ...plain, ...log};
  }
  return {...plainLayout(el), uirevision: "keep", ...base, datarevision: ++store.revision};
}

// --- the view ---------------------------------------------------------------------------------

// As an image: nothing in it can run or load anything, and no page can be led to it.
function showSnapshot(el, box, svg) {
  const image = element("img", "distill-snapshot"),
    ink = themeColour(el, "var(--distill-ink)");
  const drawn = String(svg)
    .slice(0, LONGEST_SNAPSHOT)
    .replaceAll("currentColor", ink)
    .replace(/[\ud800-\udfff]/gu, "?");
  image.alt = shownText(el.dataset.name);
  image.src = `data:image/svg+xml,${encodeURIComponent(drawn)}`;
  box.replaceChildren(image);
}

function toolbar(model, store, redraw) {
  const bar = element("div", "distill-chart-bar");
  bar.append(element("span", "distill-chart-title", model.get("name")));
  const {smoothing, layout} = model.get("spec");
  const tools = element("span", "distill-chart-tools");
  if (smoothing !== undefined) {
    const slider = Object.assign(element("input"), {
      type: "range",
      min: 0,
      max: 0.98,
      step: 0.01,
      value: store.smoothing,
    });
    slider.setAttribute("aria-label", "smoothing");
    slider.oninput = () => {
      store.smoothing = Number(slider.value);
      redraw();
    };
    const label = element("label", "", "smoothing");
    label.append(slider);
    tools.append(label);
  }
  if (Object.values(layout).some((axis) => axis?.loggable)) {
    const button = element("button", "distill-toggle", "log");
    button.title = "logarithmic scale";
    const show = () => button.setAttribute("aria-pressed", store.log);
    button.onclick = () => {
      store.log = !store.log;
      show();
      redraw();
    };
    show();
    tools.append(button);
  }
  bar.append(tools);
  return bar;
}

async function render({model, el}) {
  const store = storeOf(model),
    spec = model.get("spec"),
    began = performance.now();
  let gone = false,
    plotly = null,
    waiting = null,
    free = 0,
    drawing = false,
    stale = true;
  el.classList.add("distill", "distill-chart");
  el.dataset.name = model.get("name");
  markDarkness(el);
  const box = element("div", "distill-chart-box");
  box.style.height = `${spec.height}px`;
  const empty = element("div", "distill-chart-empty", spec.empty ?? "");
  empty.hidden = true; // until the kernel has said that there is nothing

  const mark = () => {
    el.dataset.seq = store.seq;
    el.dataset.gaps = store.gaps;
    el.dataset.points = store.x.reduce((sum, x) => sum + x.length, 0);
    el.dataset.status = plotly && store.synced ? "live" : el.dataset.status;
    empty.hidden = el.dataset.points !== "0" || !store.synced;
  };
  const visible = () => !document.hidden && box.isConnected && box.clientWidth > 0;
  const draw = async () => {
    waiting = null;
    if (gone || !plotly || drawing) return;
    if (!visible()) {
      stale = true;
      return;
    }
    drawing = true;
    stale = false;
    const start = performance.now(),
      points = el.dataset.points,
      drawnIn = themeColour(el, "var(--distill-ink)");
    try {
      await plot(plotly, box, tracesOf(store, spec, el), layoutOf(store, spec, el));
    } catch (error) {
      console.warn("distill: a chart could not be drawn", error);
    } finally {
      drawing = false;
    }
    if (gone) return;
    const cost = performance.now() - start,
      first = el.dataset.drawn === undefined;
    free = performance.now() + (first ? 0 : Math.min(DRAW_SHARE * cost, LONGEST_WAIT_MS));
    el.dataset.drawn = points;
    el.dataset.ink = drawnIn;
    el.dataset.drawMs = cost.toFixed(1);
    el.dataset.paintedMs ??= (performance.now() - began).toFixed(0);
    if (stale) view.changed();
  };
  const view = {
    changed() {
      mark();
      stale = true;
      waiting ??= setTimeout(draw, Math.max(0, free - performance.now()));
    },
  };
  const now = () => {
    stale = true; // a drawing under way is followed by another
    clearTimeout(waiting);
    draw();
  };
  let ink = themeColour(el, "var(--distill-ink)");
  const themed = onThemeChange(() => {
    markDarkness(el);
    const before = ink;
    ink = themeColour(el, "var(--distill-ink)");
    if (ink === before) return;
    if (plotly) now();
    else if (model.get("snapshot")) showSnapshot(el, box, model.get("snapshot"));
  });

  el.append(toolbar(model, store, now), box, empty);
  el.dataset.status = "loading plotly";
  if (model.get("snapshot")) {
    showSnapshot(el, box, model.get("snapshot"));
    el.dataset.status = "snapshot";
  }
  store.views.add(view);
  store.sync();
  const shared = plotlyOf(model.get("plotly_version"));
  askForPlotly(model, shared, () => gone);

  const seen = () => {
    if (stale && plotly) now();
  };
  const sizes = new ResizeObserver(() => {
    if (!plotly || !box._fullLayout || !box.clientWidth) return seen();
    if (Math.abs(box._fullLayout.width - box.clientWidth) > 1) plotly.Plots.resize(box);
    seen();
  });
  sizes.observe(box);
  document.addEventListener("visibilitychange", seen);

  shared.loaded.then((loaded) => {
    if (gone) return;
    el.dataset.plotly = shared.source;
    const start = () => {
      if (gone || !store.synced) return void setTimeout(start, 100); // the snapshot stays until there is more
      box.replaceChildren();
      plotly = loaded;
      view.changed();
    };
    start();
  });
  return () => {
    gone = true;
    clearTimeout(waiting);
    themed();
    store.views.delete(view);
    sizes.disconnect();
    document.removeEventListener("visibilitychange", seen);
    plotly?.purge(box);
  };
}

export default {initialize, render};
