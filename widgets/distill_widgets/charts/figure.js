// @ts-check
// What plotly is given of a chart.
/** @import {Json} from "../page/types" */
/** @import {Points} from "./cursor" */

import {translucent} from "../page/colours.js";
import {coloured, plainAxis, plainLayout} from "../page/plotly_draw.js";
import {smoothed} from "./smoothing.js";

const FAINT = 0.3;

/**
 * @typedef {object} Spec what is drawn, see chart.py
 * @property {Json[]} traces
 * @property {Json} layout
 * @property {number} height
 * @property {string} [empty] what is said while there are no points
 * @property {number} [smoothing] how much at first; none, no slider
 */

/**
 * @typedef {object} Settings of somebody who looks
 * @property {number} smoothing in [0, 1)
 * @property {boolean} log
 */

/**
 * @param {Points} points
 * @param {Spec} spec
 * @param {Settings} settings
 * @param {Element} el
 * @returns {Json[]}
 */
export function tracesOf(points, spec, settings, el) {
  return spec.traces.flatMap((trace, i) => {
    const {smooth, ...plain} = coloured(el, trace);
    const drawn = {...filled(plain), x: points.x[i], y: points.y[i], uid: `t${i}`};
    return smooth ? smoothTraces(drawn, points, i, settings.smoothing) : [drawn];
  });
}

/**
 * plotly's opacity is that of lines: what is filled needs a colour that is faint by itself.
 *
 * @param {Json} trace
 * @returns {Json}
 */
function filled({opacity, ...trace}) {
  if (!trace.fill) return opacity === undefined ? trace : {...trace, opacity};
  return {...trace, fillcolor: translucent(trace.fillcolor, opacity ?? 1)};
}

/**
 * A faint trace of what was measured, and its moving average.
 *
 * @param {Json} drawn
 * @param {Points} points
 * @param {number} i
 * @param {number} smoothing
 */
function smoothTraces(drawn, points, i, smoothing) {
  const quiet = {showlegend: false, hoverinfo: "skip", opacity: smoothing ? FAINT : 0};
  // A thinned point stands for many steps: the average reaches over as many steps as before.
  const weight = smoothing ** (points.weights[i] ?? 1);
  const y = smoothing ? smoothed(points.mean[i], weight) : points.y[i];
  return [
    {...drawn, uid: `r${i}`, ...quiet},
    {...drawn, y},
  ];
}

/**
 * @param {Points} points
 * @param {Spec} spec
 * @param {Settings} settings
 * @param {Element} el
 * @returns {Json}
 */
export function layoutOf(points, spec, settings, el) {
  const layout = coloured(el, {...spec.layout, ...points.layout});
  for (const [name, axis] of Object.entries(layout)) {
    if (!/^[xy]axis/.test(name)) continue;
    const {loggable, ...plain} = axis;
    layout[name] = {...plainAxis(el), ...plain, ...(settings.log && loggable && {type: "log"})};
  }
  return {...plainLayout(el), uirevision: "keep", ...layout};
}
