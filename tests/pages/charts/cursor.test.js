import assert from "node:assert/strict";
import {test} from "node:test";
import {
  noPoints,
  pointCount,
  syncMessage,
  take,
} from "../../../widgets/distill_widgets/charts/cursor.js";

/** A buffer as a page gets it: off alignment. */
function view(...numbers) {
  const bytes = new Uint8Array(4 * numbers.length + 1);
  bytes.set(new Uint8Array(Float32Array.from(numbers).buffer), 1);
  return new DataView(bytes.buffer, 1);
}

function message(parts, more = {}) {
  return {type: "data", epoch: "e", seq: 1, weights: [1, 1], parts, ...more};
}

test("a page that has nothing says so", () => {
  const points = noPoints([{}, {smooth: true}]);
  assert.deepEqual(syncMessage(points), {type: "sync", cursor: [0, 0], epoch: "", marks: -1});
});

test("points are added where they belong, a smooth trace's with their mean", () => {
  const points = noPoints([{}, {smooth: true}]);
  const buffers = [view(1, 2), view(5, 6), view(1), view(7), view(8)];
  assert.equal(
    take(
      points,
      message([
        [0, 0],
        [1, 0],
      ]),
      buffers,
    ),
    true,
  );
  assert.deepEqual(
    [points.x, points.y, points.mean],
    [
      [[1, 2], [1]],
      [[5, 6], [7]],
      [[], [8]],
    ],
  );
  assert.equal(pointCount(points), 3);
  assert.deepEqual(syncMessage(points).cursor, [2, 1]);
});

test("a message that comes twice changes nothing", () => {
  const points = noPoints([{}]);
  for (let times = 0; times < 2; times += 1) take(points, message([[0, 0]]), [view(1), view(5)]);
  assert.deepEqual(points.y, [[5]]);
});

test("of a message that overlaps only what is new is taken", () => {
  const points = noPoints([{}]);
  take(points, message([[0, 0]]), [view(1, 2), view(5, 6)]);
  take(points, message([[0, 1]]), [view(2, 3), view(6, 7)]);
  assert.deepEqual(points.x, [[1, 2, 3]]);
});

test("after a gap nothing is taken", () => {
  const points = noPoints([{}, {}]);
  const buffers = [view(1), view(1), view(9), view(9)];
  assert.equal(
    take(
      points,
      message([
        [0, 0],
        [1, 1],
      ]),
      buffers,
    ),
    false,
  );
  assert.deepEqual(points.x, [[], []]);
});

test("another epoch begins anew", () => {
  const points = noPoints([{}]);
  take(points, message([[0, 0]]), [view(1, 2), view(5, 6)]);
  take(points, message([[0, 0]], {epoch: "f"}), [view(9), view(9)]);
  assert.deepEqual(points.x, [[9]]);
});

test("older marks do not replace newer ones, nor an older number the latest", () => {
  const points = noPoints([{}]);
  take(points, message([], {marks: 2, layout: {shapes: [2]}, seq: 5}), []);
  take(points, message([], {marks: 1, layout: {shapes: [1]}, seq: 4}), []);
  assert.deepEqual([points.layout, points.marks, points.seq], [{shapes: [2]}, 2, 5]);
});
