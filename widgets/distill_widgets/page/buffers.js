// @ts-check
// Numbers in the buffers of a message, which are not aligned: each is copied.

/**
 * @template Numbers
 * @param {DataView} view
 * @param {new (bytes: ArrayBuffer | SharedArrayBuffer) => Numbers} Kind of a typed array
 */
export function numbers(view, Kind) {
  return new Kind(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}
