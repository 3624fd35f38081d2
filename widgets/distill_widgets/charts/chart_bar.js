// @ts-check
// What stands above a chart, and is turned there: smoothing and the logarithmic scale.
/** @import {Spec} from "./figure" */
/** @import {ChartStore} from "./live_chart" */

import {element} from "../page/text.js";

/** @param {ChartStore} store @param {() => void} redraw */
function smoothingSlider(store, redraw) {
  const value = String(store.smoothing);
  const slider = element("input");
  Object.assign(slider, {type: "range", min: "0", max: "0.98", step: "0.01", value});
  slider.setAttribute("aria-label", "smoothing");
  slider.oninput = () => {
    store.smoothing = Number(slider.value);
    redraw();
  };
  const label = element("label", "", "smoothing");
  label.append(slider);
  return label;
}

/** @param {ChartStore} store @param {() => void} redraw */
function logButton(store, redraw) {
  const button = element("button", "distill-toggle", "log");
  const show = () => button.setAttribute("aria-pressed", String(store.log));
  button.title = "logarithmic scale";
  button.onclick = () => {
    store.log = !store.log;
    show();
    redraw();
  };
  show();
  return button;
}

/**
 * The line above a chart: its name and what can be turned on it.
 *
 * @param {string} name
 * @param {Spec} spec
 * @param {ChartStore} store
 * @param {() => void} redraw
 */
export function toolbar(name, spec, store, redraw) {
  const bar = element("div", "distill-chart-bar");
  const tools = element("span", "distill-chart-tools");
  const hasLog = Object.values(spec.layout).some((axis) => axis?.loggable);
  if (spec.smoothing !== undefined) tools.append(smoothingSlider(store, redraw));
  if (hasLog) tools.append(logButton(store, redraw));
  bar.append(element("span", "distill-chart-title", name), tools);
  return bar;
}
