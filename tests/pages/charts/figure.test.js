import assert from "node:assert/strict";
import {test} from "node:test";
import {tracesOf} from "../../../widgets/distill_widgets/charts/figure.js";

const POINTS = {x: [[1, 2]], y: [[3, 4]], mean: [[]], weights: [1]};

test("what is filled is faint by its own colour, and a line by its opacity", () => {
  const draw = (trace) => tracesOf(POINTS, {traces: [trace]}, {smoothing: 0, log: false}, null)[0];
  const band = draw({fill: "tonexty", fillcolor: "#1976d2", opacity: 0.16});
  assert.deepEqual([band.fillcolor, band.opacity], ["rgba(25, 118, 210, 0.16)", undefined]);
  assert.equal(draw({opacity: 0.16}).opacity, 0.16);
  assert.deepEqual(draw({}).x, [1, 2]);
});
