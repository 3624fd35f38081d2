import assert from "node:assert/strict";
import {beforeEach, test} from "node:test";
import {storeOf} from "../../../widgets/distill_widgets/page/store.js";
import player from "../../../widgets/distill_widgets/sounds/audio_player.js";

let model;
let close;

class Place {
  constructor(isInSight) {
    this.isInSight = isInSight;
    this.played = 0;
    this.stopped = 0;
  }

  quiet() {
    this.stopped += 1;
  }

  playNewest() {
    this.played += 1;
  }
}

function newModel() {
  const callbacks = new Map();
  return {
    callbacks,
    get: (name) => ({uid: "player", poll_s: 5})[name],
    on: (event, callback) => callbacks.set(event, callback),
    off: (event, callback) => callbacks.get(event) === callback && callbacks.delete(event),
    send() {},
  };
}

function shownIn(...places) {
  for (const place of places) storeOf(model).views.add(place);
  return places;
}

beforeEach(() => {
  model = newModel();
  close = player.initialize({model});
});

test("shown in two cells it plays once, where somebody looks", () => {
  const [above, here, below] = shownIn(new Place(false), new Place(true), new Place(true));
  model.callbacks.get("change:plays")();
  assert.deepEqual([above.played, here.played, below.played], [0, 1, 0]);
  assert.deepEqual([above.stopped, here.stopped, below.stopped], [1, 0, 1]);
});

test("out of sight it plays all the same, once", () => {
  const places = shownIn(new Place(false), new Place(false));
  model.callbacks.get("change:plays")();
  model.callbacks.get("change:plays")();
  assert.deepEqual(
    places.map((place) => place.played),
    [2, 0],
  );
});

test("shown nowhere it is silent", () => {
  model.callbacks.get("change:plays")();
});

test("a player that was closed follows nothing", () => {
  close();
  assert.equal(model.callbacks.size, 0);
  assert.equal(storeOf(model), undefined);
});
