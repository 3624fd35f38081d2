import assert from "node:assert/strict";
import {test} from "node:test";
import {smoothed} from "../../../widgets/distill_widgets/charts/smoothing.js";

test("a constant stays what it is from the first value on", () => {
  assert.deepEqual(smoothed([3, 3, 3], 0.5), [3, 3, 3]);
});

test("no weight is no smoothing", () => {
  assert.deepEqual(smoothed([1, 5, 2], 0), [1, 5, 2]);
});

test("it is the mean weighted by powers of the weight", () => {
  const [, , last] = smoothed([1, 2, 4], 0.5);
  assert.ok(Math.abs(last - (4 + 2 * 0.5 + 0.25) / 1.75) < 1e-12);
});

test("what is not finite is left in its place and leaves no trace", () => {
  const [a, gap, b] = smoothed([2, Number.NaN, 2], 0.9);
  assert.deepEqual([a, b], [2, 2]);
  assert.ok(Number.isNaN(gap));
});
