import assert from "node:assert/strict";
import {beforeEach, test} from "node:test";
import {GapFields} from "../../../widgets/distill_widgets/inside/gap_fields.js";

let gap;

beforeEach(() => {
  globalThis.document = {
    createElement: () => ({
      attributes: {},
      append() {},
      setAttribute(name, value) {
        this.attributes[name] = value;
      },
    }),
  };
  gap = new GapFields("sound 3", 3);
});

test("until somebody types, the middle third is asked for", () => {
  assert.deepEqual(gap.asked, {from_s: 1, to_s: 2});
  assert.match(gap.from.attributes["aria-label"], /from, in seconds of sound 3/);
});

test("what is typed is asked for, and no number is none", () => {
  gap.from.value = "0.25";
  gap.to.value = "";
  assert.deepEqual(gap.asked, {from_s: 0.25, to_s: null});
  gap.to.value = "1e999";
  assert.equal(gap.asked.to_s, null);
});

test("Enter asks, and no key reaches the notebook", () => {
  let asked = 0;
  let stopped = 0;
  const press = (key) =>
    gap.to.onkeydown({
      key,
      stopPropagation: () => {
        stopped += 1;
      },
    });
  press("Enter");
  gap.enter = () => {
    asked += 1;
  };
  press("d");
  press("Enter");
  assert.deepEqual([asked, stopped], [1, 3]);
});
