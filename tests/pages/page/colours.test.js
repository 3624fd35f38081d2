import assert from "node:assert/strict";
import {test} from "node:test";
import {
  colourOf,
  entryColours,
  oklch,
  SCALE,
  translucent,
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

test("a colour of any notation becomes translucent, and what is none is grey", () => {
  assert.equal(translucent("#1976d2", 0.5), "rgba(25, 118, 210, 0.5)");
  assert.equal(translucent("#18f", 0.25), "rgba(17, 136, 255, 0.25)");
  assert.equal(translucent("rgb(1, 2, 3)", 0.5), "rgba(1, 2, 3, 0.5)");
  assert.equal(translucent("rgba(1,2,3,.5)", 0.5), "rgba(1, 2, 3, 0.25)");
  assert.equal(translucent("teal", 0.5), "rgba(128, 128, 128, 0.5)");
});
