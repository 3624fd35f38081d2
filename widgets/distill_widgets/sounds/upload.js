// @ts-check
// Sends a file to the kernel in modest pieces, each until it is acknowledged.
/** @import {Questions} from "../page/types" */

const PIECE_BYTES = 2 ** 19; // some seconds of sound are one piece: each waits for an answer
const MEGABYTE = 2 ** 20;

/** A file, or what has been recorded. */
/** @typedef {Pick<File, "name" | "size" | "slice">} Sendable */

/**
 * Why a file is not sent at all; empty where nothing is wrong with it.
 *
 * @param {Sendable} file
 * @param {number} most bytes that the kernel takes
 */
export function whyNotSent(file, most) {
  if (!file.size) return `${file.name}: an empty file; copy or export it again`;
  if (file.size <= most) return "";
  const [is, taken] = [file.size, most].map((bytes) => Math.round(bytes / MEGABYTE));
  return `${file.name}: ${is} MB, and a page sends up to ${taken}: cut it, or export it as FLAC or MP3`;
}

/** @param {Sendable} file @param {number} at */
async function pieceOf(file, at) {
  try {
    return await file.slice(at, at + PIECE_BYTES).arrayBuffer();
  } catch {
    throw new Error(`${file.name}: the browser cannot read it any more; choose it again`);
  }
}

/** @template {{error?: string}} Reply @param {Reply} answer */
function accepted(answer) {
  if (answer.error) throw new Error(answer.error);
  return answer;
}

/**
 * Sends a file.
 *
 * @param {Questions} store
 * @param {Sendable} file
 * @param {number} most bytes that the kernel takes
 * @param {(share: number) => void} progress
 * @returns {Promise<number>} by which the kernel knows it
 */
export async function sendFile(store, file, most, progress) {
  const refusal = whyNotSent(file, most);
  if (refusal) throw new Error(refusal);
  const {name, size} = file;
  const {upload} = accepted(await store.command("upload", {name, bytes: size}));
  for (let at = 0; at < size; at += PIECE_BYTES) {
    progress(at / size);
    accepted(await store.put("piece", `${upload}/${at}`, await pieceOf(file, at)));
  }
  return upload;
}
