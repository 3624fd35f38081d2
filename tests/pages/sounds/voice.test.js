import assert from "node:assert/strict";
import {beforeEach, test} from "node:test";

const FACTS = {steps: 25, piece_steps: 10, step_s: 1, seconds: 25};

class FakeAudio {
  currentTime = 0;
  paused = true;
  set src(url) {
    this.url = url;
    queueMicrotask(() => this.onloadedmetadata?.());
  }
  async play() {
    this.paused = false;
  }
  pause() {
    this.paused = true;
  }
  remove() {
    this.removed = true;
  }
}
globalThis.Audio = FakeAudio;
const {Voice} = await import("../../../widgets/distill_widgets/sounds/voice.js");

let asked;
let forgotten;
let errors;
let voice;

beforeEach(() => {
  asked = [];
  forgotten = [];
  errors = [];
  const store = {
    url: async (key) => {
      if (key.includes("bad")) throw new Error("gone");
      asked.push(key);
      return key;
    },
    get: async () => ({louder_db: 6}),
    forgetSound: (key) => forgotten.push(key),
  };
  voice = new Voice({
    store,
    facts: FACTS,
    place: {append() {}},
    source: "first-2",
    changed() {},
    failed: (error) => errors.push(error.message),
  });
});

test("it plays the piece where it is, and fetches the next one", async () => {
  voice.moveTo(12);
  await voice.play();
  assert.equal(voice.audio.url, "part/first-2/1");
  assert.equal(voice.audio.currentTime, 2);
  assert.equal(voice.seconds, 12);
  assert.deepEqual(asked, ["part/first-2/1", "part/first-2/2"]);
});

test("one piece follows the other, and the end goes back to the beginning", async () => {
  await voice.play("first-2", 20);
  voice.audio.onended();
  assert.equal(voice.isPlaying, false);
  assert.equal(voice.seconds, 0);
  await voice.play("first-2", 0);
  voice.audio.onended();
  await new Promise((done) => setTimeout(done, 5));
  assert.equal(voice.audio.url, "part/first-2/1");
  assert.equal(voice.isPlaying, true);
});

test("another source goes on at the same place", async () => {
  await voice.play("first-2", 3);
  voice.audio.currentTime = 4.5;
  await voice.play("alone-0");
  assert.equal(voice.audio.url, "part/alone-0/0");
  assert.equal(voice.seconds, 4.5);
  assert.equal(voice.louder, 6);
});

test("only the latest wish is played", async () => {
  const early = voice.play("first-1");
  const late = voice.play("first-3");
  await Promise.all([early, late]);
  assert.equal(voice.audio.url, "part/first-3/0");
});

test("a piece that is not there is reported, and nothing plays", async () => {
  await voice.play("bad");
  assert.deepEqual(errors, ["gone"]);
  assert.equal(voice.isGoing, false);
});

test("it keeps two dozen pieces", async () => {
  for (let n = 0; n < 30; n += 1) voice.keep(`part/first-${n}/0`);
  assert.equal(forgotten.length, 6);
  assert.equal(forgotten[0], "part/first-0/0");
});
