import assert from "node:assert/strict";
import {test} from "node:test";
import {clock, duration, fixed} from "../../../widgets/distill_widgets/page/amounts.js";
import {shownText} from "../../../widgets/distill_widgets/page/text.js";

test("a clock has as many digits as its marks need", () => {
  assert.equal(clock(0, 1), "0:00");
  assert.equal(clock(65.25, 0.1), "1:05.3");
  assert.equal(clock(5, 0.05), "0:05.00");
  assert.equal(clock(3600, 60), "60:00");
});

test("a duration is said as people say it", () => {
  assert.deepEqual([-3, 59.4, 61, 7322].map(duration), ["0 s", "59 s", "1 min 1 s", "2 h 2 min"]);
});

test("a number that is none is a dash", () => {
  assert.deepEqual(
    [1.25, null, undefined, Number.NaN].map((x) => fixed(x, 1)),
    ["1.3", "–", "–", "–"],
  );
});

test("signs that steer a line are shown", () => {
  assert.equal(shownText("a\u202eb\u0000"), "a\\u202eb\\u0000");
  assert.equal(shownText("\ud800"), "\\ud800");
  assert.equal(shownText("two\nlines"), "two\nlines");
});

test("what nobody reads is cut", () => {
  assert.equal(shownText("x".repeat(20), 5), "xxxx…");
  assert.equal(shownText(null), "");
});
