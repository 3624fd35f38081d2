// @ts-check
// What a page has of a chart: it says how many points of each trace it has, the kernel sends what
// is missing. Every message may come twice, late, or not at all.
/** @import {Data, Sync} from "../page/messages" */
/** @import {Json} from "../page/types" */

import {numbers} from "../page/buffers.js";

/**
 * @typedef {object} Points
 * @property {number[][]} x of each trace
 * @property {number[][]} y
 * @property {number[][]} mean of traces that are smoothed, else empty
 * @property {boolean[]} smooth whether a trace is smoothed: it then comes with its mean
 * @property {number[]} weights steps that one drawn point of each trace stands for
 * @property {string} epoch of the chart; another one means that all begins anew
 * @property {Json} layout what is drawn besides the traces
 * @property {number} marks version of that
 * @property {number} seq the latest message
 */

/**
 * @param {{smooth?: boolean}[]} traces
 * @returns {Points}
 */
export function noPoints(traces) {
  const empty = () => traces.map(() => /** @type {number[]} */ ([]));
  return {
    x: empty(),
    y: empty(),
    mean: empty(),
    smooth: traces.map((trace) => Boolean(trace.smooth)),
    weights: [],
    epoch: "",
    layout: {},
    marks: -1,
    seq: -1,
  };
}

/** @param {Points} points */
function clear(points) {
  for (const column of [points.x, points.y, points.mean]) {
    for (const values of column) values.length = 0;
  }
}

/**
 * @param {Points} points
 * @param {number} trace
 */
function columnsOf(points, trace) {
  const columns = [points.x[trace], points.y[trace]];
  return points.smooth[trace] ? [...columns, points.mean[trace]] : columns;
}

/**
 * Takes what a message brings; false where something before it is missing.
 *
 * @param {Points} points
 * @param {Data} message
 * @param {DataView[]} buffers x, y and, of smooth traces, the mean, of each part
 */
export function take(points, message, buffers) {
  if (message.epoch !== points.epoch) {
    clear(points);
    points.epoch = message.epoch;
  }
  const isWhole = message.parts.every(([trace, start]) => start <= points.x[trace].length);
  if (!isWhole) return false;
  let next = 0;
  for (const [trace, start] of message.parts) {
    const overlap = points.x[trace].length - start;
    for (const column of columnsOf(points, trace)) {
      for (const value of numbers(buffers[next], Float32Array).subarray(overlap))
        column.push(value);
      next += 1;
    }
  }
  takeMarks(points, message);
  points.weights = message.weights;
  points.seq = Math.max(points.seq, message.seq);
  return true;
}

/**
 * @param {Points} points
 * @param {Data} message
 */
function takeMarks(points, message) {
  if (!message.layout || message.marks === undefined || message.marks <= points.marks) return;
  points.layout = message.layout;
  points.marks = message.marks;
}

/**
 * Says what the page has.
 *
 * @param {Points} points
 * @returns {Sync}
 */
export function syncMessage(points) {
  const {x, epoch, marks} = points;
  return {type: "sync", cursor: x.map((values) => values.length), epoch, marks};
}

/** @param {Points} points */
export function pointCount(points) {
  return points.x.reduce((sum, values) => sum + values.length, 0);
}
