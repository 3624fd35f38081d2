import assert from "node:assert/strict";
import {test} from "node:test";
import {Take} from "../../../widgets/distill_widgets/sounds/take.js";

function ramp(count, from = 0) {
  return Float32Array.from({length: count}, (_, i) => (from + i) / 1000);
}

test("blocks become one sound, and its peak is told", () => {
  const take = new Take(1000, 10);
  assert.ok(Math.abs(take.add(ramp(100)) - 0.099) < 1e-6);
  take.add(ramp(50, 100));
  assert.equal(take.seconds, 0.15);
  assert.deepEqual(take.kept, ramp(150));
  take.add(ramp(10, 150));
  assert.deepEqual(take.kept, ramp(160));
});

test("it ends where it is full, to the sample", () => {
  const take = new Take(1000, 0.12);
  take.add(ramp(100));
  assert.equal(take.isFull, false);
  take.add(ramp(100, 100));
  assert.equal(take.isFull, true);
  assert.deepEqual(take.kept, ramp(120));
});

test("a part is kept, whichever end comes first", () => {
  const take = new Take(1000, 10);
  take.add(ramp(100));
  take.trim(0.75, 0.25);
  assert.deepEqual(take.kept, ramp(50, 25));
  take.trim(0.5, 0.5);
  assert.equal(take.kept.length, 0);
  take.trim(0, 1);
  assert.equal(take.kept.length, 100);
});

test("what is sent is the samples of that part and nothing else", async () => {
  const take = new Take(1000, 10);
  take.add(ramp(100));
  take.trim(0.1, 0.2);
  const file = take.fileOf("kick");
  assert.equal(file.name, "kick");
  assert.deepEqual(new Float32Array(await file.arrayBuffer()), ramp(10, 10));
});

test("its outline has the least and the greatest of each column", () => {
  const take = new Take(1000, 10);
  take.add(Float32Array.from({length: 480}, (_, i) => (i % 2 ? -2 : 0.5)));
  const {outline} = take;
  assert.equal(outline[0], -127);
  assert.equal(outline[240], Math.round(63.5));
});

test("nothing recorded is nothing kept", () => {
  assert.equal(new Take(1000, 10).kept.length, 0);
});
