import assert from "node:assert/strict";
import {afterEach, beforeEach, mock, test} from "node:test";
import {LATE, openQuestions, whenLate} from "../../../widgets/distill_widgets/page/questions.js";
import {storeOf} from "../../../widgets/distill_widgets/page/store.js";

let model;
let store;

function newModel() {
  const callbacks = new Set();
  return {
    sent: [],
    callbacks,
    get: (name) => ({uid: "u", poll_s: 5})[name],
    on: (_event, callback) => callbacks.add(callback),
    off: (_event, callback) => callbacks.delete(callback),
    send: (message) => model.sent.push(message),
  };
}

function answer(message, buffers = []) {
  for (const callback of model.callbacks) callback(message, buffers);
}

beforeEach(() => {
  mock.timers.enable({apis: ["setTimeout"]});
  model = newModel();
  store = openQuestions(model, {});
});
afterEach(() => mock.timers.reset());

test("a question is sent once, whoever asks, and its answer is kept", async () => {
  const [one, two] = [store.get("codes", "0"), store.get("codes", "0")];
  assert.deepEqual(model.sent, [{type: "codes", key: "0", client: store.client}]);
  answer({type: "codes", key: "0", steps: 3}, ["buffer"]);
  assert.deepEqual(await one, {type: "codes", key: "0", steps: 3, buffers: ["buffer"]});
  assert.equal(await two, await one);
  assert.equal(await store.get("codes", "0"), await one);
  assert.equal(model.sent.length, 1);
});

test("it is asked again, less and less often, until it is answered", () => {
  store.get("codes", "0");
  mock.timers.tick(5000);
  assert.equal(model.sent.length, 2);
  mock.timers.tick(9999);
  assert.equal(model.sent.length, 2);
  mock.timers.tick(1);
  assert.equal(model.sent.length, 3);
  answer({type: "codes", key: "0"});
  mock.timers.tick(600_000);
  assert.equal(model.sent.length, 3);
});

test("after an error it is asked anew", async () => {
  const refused = store.get("sound", "a");
  answer({type: "sound", key: "a", error: "gone"});
  assert.equal((await refused).error, "gone");
  store.get("sound", "a");
  assert.equal(model.sent.length, 2);
});

test("commands are sent every time, each with an id of its own", async () => {
  const done = store.command("rename", {to: "x"});
  const [{key}] = model.sent;
  answer({type: "rename", key});
  await done;
  store.command("rename", {to: "x"});
  const again = model.sent[1].key;
  assert.notEqual(again, key);
  assert.deepEqual(JSON.parse(again).to, "x");
});

test("what was not asked for is ignored", () => {
  answer({type: "codes", key: "0"});
  store.get("codes", "0");
  assert.equal(model.sent.length, 1);
});

test("a closed store asks and takes nothing more", () => {
  store.get("codes", "0");
  store.close();
  mock.timers.tick(600_000);
  assert.equal(model.sent.length, 1);
  assert.equal(model.callbacks.size, 0);
  assert.equal(storeOf(model), undefined);
});

test("an older model that ends leaves the newer one's store", () => {
  const newer = openQuestions(model, {});
  store.close();
  assert.equal(storeOf(model), newer);
});

test("a kernel that is gone breaks nothing", () => {
  mock.method(console, "debug", () => {});
  model.send = () => {
    throw new Error("no comm");
  };
  store.get("codes", "0");
  assert.equal(console.debug.mock.callCount(), 1);
});

test("who waits is received, who does not is not", async () => {
  const received = [];
  await whenLate(Promise.resolve(1), () => received.push(LATE));
  await Promise.resolve();
  whenLate(new Promise(() => {}), () => received.push("late"));
  mock.timers.tick(3000);
  assert.deepEqual(received, ["late"]);
});

test("bytes go along each time they are asked for, and the answer is not kept", async () => {
  const sent = [];
  model.send = (...parts) => sent.push(parts);
  const piece = new ArrayBuffer(3);
  const done = store.put("piece", "1/0", piece);
  mock.timers.tick(5000);
  assert.deepEqual(
    sent,
    Array(2).fill([{type: "piece", key: "1/0", client: store.client}, undefined, [piece]]),
  );
  answer({type: "piece", key: "1/0"});
  await done;
  store.put("piece", "1/0", piece);
  assert.equal(sent.length, 3);
});
