import assert from "node:assert/strict";
import {test} from "node:test";
import {
  colourOf,
  entryColours,
  oklch,
  SCALE,
} from "../../../widgets/distill_widgets/page/colours.js";

function bytesOf(colour) {
  return colour.match(/\d+/g).map(Number);
}

test("the ends of lightness are black and white", () => {
  assert.deepEqual([oklch(0, 0, 0), oklch(1, 0, 0)], ["rgb(0,0,0)", "rgb(255,255,255)"]);
});

test("a known colour: sRGB red is 0.628, 0.2577, 29.23 degrees", () => {
  const [red, green, blue] = bytesOf(oklch(0.62796, 0.25768, 29.234 / 360));
  assert.ok(red >= 254 && green <= 2 && blue <= 2);
});

test("every colour that is used can be shown", () => {
  const colours = [...Array(500).keys()].map(colourOf).concat(SCALE.map(([, colour]) => colour));
  for (const colour of colours) {
    assert.ok(
      bytesOf(colour).every((byte) => byte >= 0 && byte <= 255),
      colour,
    );
  }
});

test("no file has no colour", () => {
  assert.equal(colourOf(-1), "rgb(138,138,138)");
});

test("entries are coloured by their place on the circle, not by their number", () => {
  const [[a, b], [c, d]] = entryColours([0, 1, 1, 0], 2, 2);
  assert.deepEqual([a, b], [d, c]);
  assert.notEqual(a, b);
});
