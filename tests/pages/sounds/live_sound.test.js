import assert from "node:assert/strict";
import {beforeEach, test} from "node:test";
import {LiveSound} from "../../../widgets/distill_widgets/sounds/live_sound.js";

const RATE = 1000;
let contexts;

class Context {
  constructor({sampleRate}) {
    Object.assign(this, {sampleRate, currentTime: 0, state: "running", started: []});
    contexts.push(this);
  }

  createBuffer(_channels, length) {
    return {duration: length / this.sampleRate, copyToChannel() {}};
  }

  createBufferSource() {
    const source = {connect() {}, start: (at) => this.started.push({at, source})};
    return source;
  }

  suspend() {
    this.state = "suspended";
  }

  resume() {
    this.state = "running";
  }

  close() {
    this.state = "closed";
  }

  endAll() {
    for (const {source} of this.started.splice(0)) source.onended();
  }
}

let ended;
let live;
let context;

beforeEach(() => {
  contexts = [];
  globalThis.AudioContext = Context;
  ended = 0;
  live = new LiveSound(RATE, () => {
    ended += 1;
  });
  [context] = contexts;
});

function add(...lengths) {
  for (const length of lengths) live.add(new Float32Array(length));
}

test("pieces are played one behind the other, to the sample", () => {
  add(500, 1000, 250);
  const [first, second, third] = context.started.map(({at}) => at);
  assert.ok(Math.abs(second - first - 0.5) < 1e-9 && Math.abs(third - second - 1) < 1e-9);
  assert.equal(live.length, 1.75);
});

test("it says how much of it was heard", () => {
  add(500);
  assert.equal(live.seconds, 0);
  context.currentTime = context.started[0].at + 0.3;
  assert.ok(Math.abs(live.seconds - 0.3) < 1e-9);
  context.currentTime = 9;
  assert.equal(live.seconds, 0.5);
});

test("a piece that comes too late begins when it comes", () => {
  add(500);
  context.currentTime = 2;
  add(500);
  assert.ok(context.started[1].at >= 2 && context.started[1].at < 2.1);
});

test("it ends once it is whole and all of it was heard, once", () => {
  add(500);
  context.endAll();
  assert.equal(ended, 0); // more may come
  add(500);
  live.finish();
  assert.equal(ended, 0);
  context.endAll();
  assert.deepEqual([ended, context.state, live.isPlaying], [1, "closed", false]);
});

test("paused it waits, and plays on where it was", () => {
  add(500);
  live.pause();
  assert.deepEqual([context.state, live.isPlaying], ["suspended", false]);
  add(500);
  live.finish();
  live.play();
  assert.deepEqual([context.state, live.isPlaying, ended], ["running", true, 0]);
  context.endAll();
  assert.equal(ended, 1);
});

test("closed, it says nothing any more", () => {
  add(500);
  live.finish();
  live.close();
  live.close();
  context.endAll();
  assert.equal(ended, 0);
});
