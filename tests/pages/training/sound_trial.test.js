import assert from "node:assert/strict";
import {test} from "node:test";
import {noteOn, soundsOf} from "../../../widgets/distill_widgets/training/sound_trial.js";

test("what is said below the list of recordings", () => {
  const names = ["a", "b"];
  assert.match(noteOn({names: [], found: 0, total: 0}), /not read its recordings yet/);
  assert.match(noteOn({names: [], found: 0, total: 9}), /^none of 9 recordings/);
  assert.equal(noteOn({names, found: 500, total: 900}), "2 of 500: type more of the name");
  assert.equal(noteOn({names, found: 2, total: 900}), "");
});

test("of a sound that is tried again, only what is made is asked for", () => {
  assert.deepEqual(soundsOf(3, {upload: 7}), ["3/original", "3/made"]);
  assert.deepEqual(soundsOf(4, {recording: 0}), ["4/original", "4/made"]);
  assert.deepEqual(soundsOf(5, {}), ["5/made"]);
});
