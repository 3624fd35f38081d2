import assert from "node:assert/strict";
import {beforeEach, test} from "node:test";
import {sendFile, whyNotSent} from "../../../widgets/distill_widgets/sounds/upload.js";

const PIECE = 2 ** 19;
const MOST = 64 * 2 ** 20;

let sent;
let refusal;

const store = {
  async command(type, command) {
    sent.push([type, command]);
    return refusal ? {error: refusal} : {upload: 4};
  },
  async put(type, key, buffer) {
    sent.push([type, key, buffer.byteLength]);
    return sent.length > 2 && refusal === undefined ? {error: "another file has come since"} : {};
  },
};

function fileOf(bytes, name = "kick.wav") {
  return Object.assign(new Blob([new Uint8Array(bytes)]), {name});
}

beforeEach(() => {
  sent = [];
  refusal = "";
});

test("a file is sent in pieces, one after the other", async () => {
  const shares = [];
  const number = await sendFile(store, fileOf(PIECE + 5), MOST, (share) => shares.push(share));
  assert.equal(number, 4);
  assert.deepEqual(sent, [
    ["upload", {name: "kick.wav", bytes: PIECE + 5}],
    ["piece", "4/0", PIECE],
    ["piece", `4/${PIECE}`, 5],
  ]);
  assert.equal(shares.length, 2);
});

test("what is too large, or empty, is refused before anything of it is read", async () => {
  const hour = {name: "hour.wav", size: 691 * 2 ** 20, slice: () => assert.fail("it was read")};
  await assert.rejects(
    sendFile(store, hour, MOST, () => {}),
    /hour\.wav: 691 MB.* up to 64/,
  );
  assert.match(whyNotSent(fileOf(0, "empty.wav"), MOST), /^empty\.wav: an empty file/);
  assert.equal(whyNotSent({name: "a", size: MOST}, MOST), "");
  assert.deepEqual(sent, []);
});

test("what the kernel says against it ends it", async () => {
  refusal = "no room";
  await assert.rejects(
    sendFile(store, fileOf(10), MOST, () => {}),
    /^Error: no room$/,
  );
  assert.equal(sent.length, 1);
  sent = [];
  refusal = undefined;
  await assert.rejects(
    sendFile(store, fileOf(3 * PIECE), MOST, () => {}),
    /another file has come/,
  );
  assert.equal(sent.length, 3);
});

test("a file that was moved meanwhile is named", async () => {
  const gone = {name: "gone.wav", size: 9, slice: () => ({arrayBuffer: () => Promise.reject()})};
  await assert.rejects(
    sendFile(store, gone, MOST, () => {}),
    /gone\.wav: the browser cannot read/,
  );
});
