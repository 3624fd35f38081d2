// @ts-check
// Numbers in the buffers of a message, which are not aligned: each is copied.

/** @param {DataView} view */
function bytesOf(view) {
  return view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
}

/** @param {DataView} view */
export function floats(view) {
  return new Float32Array(bytesOf(view));
}

/** @param {DataView} view */
export function int32s(view) {
  return new Int32Array(bytesOf(view));
}

/** @param {DataView} view */
export function int16s(view) {
  return new Int16Array(bytesOf(view));
}

/** @param {DataView} view */
export function uint16s(view) {
  return new Uint16Array(bytesOf(view));
}

/** @param {DataView} view */
export function int8s(view) {
  return new Int8Array(bytesOf(view));
}

/** @param {DataView} view */
export function uint8s(view) {
  return new Uint8Array(bytesOf(view));
}
