import assert from "node:assert/strict";
import {test} from "node:test";
import * as keys from "../../../widgets/distill_widgets/sounds/sound_keys.js";

test("keys are as sound_keys.py says", () => {
  assert.equal(keys.cellKey(2, 30), "cell/2/30");
  assert.equal(keys.columnKey(30), "moment/30");
  assert.equal(keys.partKey(keys.firstSource(2), 1), "part/first-2/1");
  assert.equal(keys.partKey(keys.ORIGINAL, 0), "part/original/0");
  assert.equal(keys.entryKey(0, 7), "entry/0/7");
  assert.equal(keys.momentKey(0, 7, 3), "moment/0/7/3");
});

test("a source says which level it plays alone", () => {
  assert.equal(keys.aloneLevel(keys.aloneSource(3)), 3);
  assert.equal(keys.aloneLevel(keys.firstSource(3)), null);
  assert.equal(keys.aloneLevel(keys.ORIGINAL), null);
});
