import assert from "node:assert/strict";
import {test} from "node:test";
import {markOfKey} from "../../../widgets/distill_widgets/sounds/mark_buttons.js";
import {arrange, worstFirst} from "../../../widgets/distill_widgets/sounds/worst_first.js";

test("the farthest stand first, the unmeasured last, equals as they came", () => {
  assert.deepEqual(worstFirst([1, 3, null, 2, 3], 6), [1, 4, 3, 0, 2, 5]);
  assert.deepEqual(worstFirst([], 3), [0, 1, 2]);
});

class List {
  constructor(...elements) {
    this.elements = elements;
    this.moved = new Set();
  }

  append(element) {
    this.moved.add(element);
    this.elements = [...this.elements.filter((other) => other !== element), element];
  }

  insertBefore(element, before) {
    this.moved.add(element);
    const others = this.elements.filter((other) => other !== element);
    others.splice(others.indexOf(before), 0, element);
    this.elements = others;
  }
}

test("elements are brought into an order, and what plays stays where it is", () => {
  for (const still of [undefined, "a", "b", "c", "d"]) {
    const list = new List("a", "b", "c", "d");
    arrange(list, ["c", "a", "d", "b"], still);
    assert.deepEqual(list.elements, ["c", "a", "d", "b"]);
    assert.ok(!list.moved.has(still));
  }
});

test("two keys mark, others do not", () => {
  assert.deepEqual(["g", "d", "a", " "].map(markOfKey), ["good", "bad", undefined, undefined]);
});
