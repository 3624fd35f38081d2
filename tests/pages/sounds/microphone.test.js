import assert from "node:assert/strict";
import {beforeEach, test} from "node:test";
import {
  openMicrophone,
  whyNoMicrophone,
} from "../../../widgets/distill_widgets/sounds/microphone.js";

let track;
let closed;
let tap;

function named(name) {
  return Object.assign(new Error("no"), {name});
}

class FakeContext {
  state = "running";
  constructor({sampleRate}) {
    this.sampleRate = sampleRate;
  }
  audioWorklet = {addModule: async () => {}};
  createMediaStreamSource() {
    return {connect: (node) => node};
  }
  async resume() {}
  close() {
    this.state = "closed";
    closed += 1;
  }
}

class FakeNode {
  port = {};
  constructor() {
    tap = this;
  }
  connect() {}
}

function browserWith(mediaDevices) {
  Object.defineProperty(globalThis, "navigator", {value: {mediaDevices}, configurable: true});
}

beforeEach(() => {
  closed = 0;
  track = {
    getSettings: () => ({sampleRate: 44100}),
    stop: () => {},
    readyState: "live",
    onended: null,
  };
  const stream = {getTracks: () => [track], getAudioTracks: () => [track]};
  browserWith({getUserMedia: async () => stream});
  globalThis.AudioContext = FakeContext;
  globalThis.AudioWorkletNode = FakeNode;
});

test("samples arrive as they are", async () => {
  const got = [];
  const microphone = await openMicrophone((samples) => got.push(samples), assert.fail);
  tap.port.onmessage({data: "samples"});
  assert.deepEqual(got, ["samples"]);
  assert.equal(microphone.rate, 44100);
  microphone.close();
  microphone.close();
  assert.equal(closed, 1);
  assert.equal(track.onended, null);
});

test("a microphone that goes away is told once", async () => {
  let lost = 0;
  await openMicrophone(assert.fail, () => {
    lost += 1;
  });
  track.onended();
  assert.equal(lost, 1);
});

test("an insecure page has no microphone, and says what to do", async () => {
  browserWith(undefined);
  await assert.rejects(openMicrophone(assert.fail, assert.fail), /https or localhost/);
});

test("each refusal has its sentence", async () => {
  for (const [name, said] of [
    ["NotAllowedError", /was not allowed to use the microphone: allow it/],
    ["NotFoundError", /No microphone was found: connect one/],
    ["NotReadableError", /another program may hold it/],
    ["AbortError", /cannot be used: no/],
  ]) {
    browserWith({getUserMedia: () => Promise.reject(named(name))});
    await assert.rejects(openMicrophone(assert.fail, assert.fail), said);
    assert.match(whyNoMicrophone(named(name)), said);
  }
});

test("where it cannot be listened to it is let go of", async () => {
  globalThis.AudioWorkletNode = class {
    constructor() {
      throw named("NotSupportedError");
    }
  };
  await assert.rejects(openMicrophone(assert.fail, assert.fail), /cannot be used/);
  assert.equal(closed, 1);
});
