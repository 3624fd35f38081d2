import assert from "node:assert/strict";
import {test} from "node:test";
import {drawn, levelAt, lineOf, textOf} from "../../../widgets/distill_widgets/inside/contour.js";

const LOUD = {low: -60, high: 12, in_octaves: false};
const BRIGHT = {low: 62.5, high: 16000, in_octaves: true};

test("what is typed comes back from a drawing of it, in as few levels", () => {
  for (const text of ["-40, 0, -30", "-24", "-60, 12", "0, -60, 0, -60, 0"])
    assert.equal(textOf(lineOf(text, LOUD), LOUD), text);
  for (const text of ["500, 4000", "63", "1000, 250, 16000"])
    assert.equal(textOf(lineOf(text, BRIGHT), BRIGHT), text);
});

test("what is no list of levels is drawn as nothing", () => {
  for (const text of ["", "loud", "-40,,0", "-40, x", "1e999", "NaN"])
    assert.deepEqual(lineOf(text, LOUD), []);
  assert.deepEqual(lineOf("0", BRIGHT), []);
  assert.deepEqual(lineOf("-500, 500", BRIGHT), []);
});

test("levels beyond the edges stay on the board", () => {
  assert.ok(lineOf("-300, 300", LOUD).every((height) => height >= 0 && height <= 1));
  assert.equal(textOf(lineOf("-300, 300", LOUD), LOUD), "-60, 12");
});

test("twice as high a pitch is always as much higher", () => {
  assert.equal(levelAt(0.5, BRIGHT), 1000);
  assert.deepEqual([levelAt(0, BRIGHT), levelAt(1, BRIGHT)], [63, 16000]);
});

test("the first touch is a level from end to end, a stroke changes what it passes", () => {
  const touched = drawn([], {x: 0.3, y: 0.5}, {x: 0.3, y: 0.5});
  assert.equal(textOf(touched, LOUD), "-24");
  const risen = drawn(touched, {x: 0, y: 0.5}, {x: 1, y: 1});
  assert.equal(textOf(risen, LOUD), "-24, 12");
  const fallen = drawn(risen, {x: 1, y: 0}, {x: 0.5, y: 0.75}); // from right to left
  assert.equal(textOf(fallen, LOUD), "-24, -6, -60");
});

test("a pen that leaves the board draws along its edges", () => {
  const line = drawn([], {x: -2, y: 7}, {x: 3, y: 7});
  assert.equal(textOf(line, LOUD), "12");
});

test("as many levels as a hand draws are no more than a prior takes", () => {
  let line = drawn([], {x: 0, y: 0}, {x: 0, y: 0});
  for (let n = 0; n < 40; n += 1)
    line = drawn(line, {x: n / 40, y: n % 2}, {x: (n + 1) / 40, y: (n + 1) % 2});
  assert.ok(textOf(line, LOUD).split(",").length <= 32);
});
