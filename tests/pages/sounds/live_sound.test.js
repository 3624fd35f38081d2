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

  createBufferSource() {
    const source = {connect() {}};
    source.start = (at, from) => this.started.push({at, from, source});
    return source;
  }

  close() {
    this.state = "closed";
  }

  endAll() {
    for (const {source} of this.started.splice(0)) source.onended();
  }
}

class Buffer {
  constructor({length, sampleRate}) {
    this.duration = length / sampleRate;
  }

  copyToChannel() {}
}

let ended;
let live;
let context;

beforeEach(() => {
  contexts = [];
  globalThis.AudioContext = Context;
  globalThis.AudioBuffer = Buffer;
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

test("paused it has no context, and plays on where it was in a new one", () => {
  add(500, 500);
  context.currentTime = context.started[0].at + 0.7;
  const paused = context;
  live.pause();
  assert.deepEqual([paused.state, live.context, live.isPlaying], ["closed", null, false]);
  assert.ok(Math.abs(live.seconds - 0.7) < 1e-9);
  paused.endAll(); // a browser may still say that these are over
  add(500);
  live.finish();
  assert.equal(ended, 0);
  live.play();
  assert.equal(contexts.length, 2);
  const [second, third] = contexts[1].started;
  assert.ok(Math.abs(second.from - 0.2) < 1e-9 && third.from === 0);
  assert.ok(Math.abs(third.at - second.at - 0.3) < 1e-9);
  assert.ok(Math.abs(live.seconds - 0.7) < 0.1);
  contexts[1].endAll();
  assert.deepEqual([ended, contexts[1].state], [1, "closed"]);
});

test("however often it is paused, one context at most is open", () => {
  add(500);
  for (let times = 0; times < 9; times += 1) {
    live.pause();
    live.pause();
    live.play();
    live.play();
  }
  assert.equal(contexts.filter(({state}) => state === "running").length, 1);
  live.pause();
  assert.equal(contexts.filter(({state}) => state === "running").length, 0);
});

test("paused at its end it is over once it is played on", () => {
  add(500);
  context.currentTime = 9;
  live.pause();
  live.finish();
  assert.equal(ended, 0);
  live.play();
  assert.deepEqual([ended, live.isPlaying], [1, false]);
});

test("a loop goes round until it is paused, and on from there", () => {
  const round = new LiveSound(RATE, () => assert.fail("a loop has no end"), true);
  const [, first] = contexts;
  round.add(new Float32Array(500));
  round.finish();
  const [{at, source}] = first.started;
  assert.equal(source.loop, true);
  first.currentTime = at + 1.7;
  assert.ok(Math.abs(round.seconds - 0.2) < 1e-9);
  round.pause();
  round.play();
  const [, , second] = contexts;
  assert.ok(second.started[0].source.loop && Math.abs(second.started[0].from - 0.2) < 1e-9);
  round.close();
});

test("closed, it says nothing any more", () => {
  add(500);
  live.finish();
  live.close();
  live.close();
  context.endAll();
  assert.equal(ended, 0);
});
