import assert from "node:assert/strict";
import {test} from "node:test";
import * as grid from "../../../widgets/distill_widgets/inside/grid_geometry.js";

test("a point is a cell, or a column on the ruler, or nothing", () => {
  const at = (x, y) => grid.placeAt(x, y, 10, 3, 5);
  assert.deepEqual(at(25, grid.RULER_PX + 1), {level: 0, step: 2});
  assert.deepEqual(at(49.9, grid.topOf(2)), {level: 2, step: 4});
  assert.deepEqual(at(0, grid.RULER_PX - 1), {level: null, step: 0});
  assert.deepEqual(at(50, grid.heightOf(3)), {level: null, step: null});
});

test("a short sound fills the width, a long one has cells one can hit", () => {
  assert.equal(grid.fittingWidth(1000, 10), 32);
  assert.equal(grid.fittingWidth(1000, 50), 20);
  assert.equal(grid.fittingWidth(1000, 5000), 14);
});

test("the widest of very long sounds can still be laid out", () => {
  assert.deepEqual(grid.widthsOf(1_000_000), [2, 4, 8]);
  const [width] = grid.widthsOf(100_000_000);
  assert.ok(width * 100_000_000 <= 12e6);
  assert.equal(grid.fittingWidth(1000, 100_000_000), width);
});

test("zooming goes through the widths and ends at the last", () => {
  assert.equal(grid.zoomed(14, 1, 100), 28);
  assert.equal(grid.zoomed(20, 1, 100), 28);
  assert.equal(grid.zoomed(20, -1, 100), 14);
  assert.equal(grid.zoomed(44, 1, 100), 44);
  assert.equal(grid.zoomed(2, -1, 100), 2);
});

test("only what is seen is drawn, up to the last step", () => {
  assert.deepEqual(grid.seenSteps(35, 100, 10, 50), [3, 13]);
  assert.deepEqual(grid.seenSteps(400, 200, 10, 50), [40, 49]);
});

test("marks of the ruler are not too close", () => {
  for (const perSecond of [0.1, 1, 30, 800, 7000]) {
    const tick = grid.tickOf(perSecond);
    assert.ok(tick * perSecond >= 70 || tick === 600, String(perSecond));
  }
});
