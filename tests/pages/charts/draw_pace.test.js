import assert from "node:assert/strict";
import {test} from "node:test";
import {restAfter, waitBeforeDrawing} from "../../../widgets/distill_widgets/charts/draw_pace.js";

const MINUTES = 60_000;

test("a chart takes no more than a hundredth of one of two cores, once it has been seen a while", () => {
  for (const cost of [1, 10, 60, 100]) {
    assert.ok(cost / (restAfter(cost, 2, 5 * MINUTES) + cost) <= 0.01);
  }
});

test("what is drawn quickly, or on many cores, moves more often", () => {
  assert.ok(restAfter(5, 2, MINUTES) < restAfter(50, 2, MINUTES));
  assert.ok(restAfter(50, 16, MINUTES) < restAfter(50, 2, MINUTES));
});

test("however slowly a machine draws, a chart moves: every 3 s at first, every 10 s later", () => {
  assert.equal(restAfter(10_000, 1, 0), 3000);
  assert.equal(restAfter(10_000, 1, MINUTES), 9000);
  assert.equal(restAfter(10_000, 1, 60 * MINUTES), 10_000);
});

test("what nothing newer follows is drawn soon", () => {
  assert.equal(waitBeforeDrawing(10_000, 1000), 4500);
  assert.equal(waitBeforeDrawing(2000, 1000), 1000);
  assert.equal(waitBeforeDrawing(1000, 2000), 0);
});
