import assert from "node:assert/strict";
import {test} from "node:test";
import {Redraw} from "../../../widgets/distill_widgets/page/text_field.js";

function place() {
  const el = {isTypedIn: false, drawn: 0};
  el.querySelector = () => (el.isTypedIn ? {} : null);
  el.redraw = new Redraw(el, () => {
    el.drawn += 1;
  });
  return el;
}

test("a place is drawn anew at once while nobody types in it", () => {
  const el = place();
  el.redraw.request();
  el.redraw.request();
  assert.equal(el.drawn, 2);
});

test("a field that somebody types in stays until it is closed, then all is drawn once", () => {
  const el = place();
  el.isTypedIn = true;
  el.redraw.request();
  el.redraw.request();
  assert.equal(el.drawn, 0);
  el.isTypedIn = false;
  el.redraw.fieldClosed();
  assert.equal(el.drawn, 1);
});

test("closing a field draws nothing where nothing has changed", () => {
  const el = place();
  el.redraw.fieldClosed();
  assert.equal(el.drawn, 0);
});
