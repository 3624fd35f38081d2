// @ts-check
// Sounds by key, each fetched once a page, when somebody wants to hear it.
/** @import {Model, Questions} from "../page/types" */

import {openQuestions} from "../page/questions.js";

/**
 * @typedef {Questions & {
 *   url: (key: string) => Promise<string>, forgetSound: (key: string) => void
 * }} Sounds
 */
/** @typedef {{audio: HTMLAudioElement, louder: number}} LoadedSound louder: made so, in dB */

/**
 * @template Fields
 * @param {Model<any>} model
 * @param {Fields} fields
 * @returns {Sounds & Fields}
 */
export function openSounds(model, fields) {
  /** @type {Map<string, string>} */
  const urls = new Map();
  const store = openQuestions(model, fields);
  const closeQuestions = store.close;

  /** @param {string} key */
  async function url(key) {
    const answer = await store.get("sound", key);
    if (answer.error) throw new Error(answer.error);
    const known = urls.get(key);
    if (known) return known;
    const wav = /** @type {DataView<ArrayBuffer>} */ (answer.buffers[0]);
    const made = URL.createObjectURL(new Blob([wav], {type: "audio/wav"}));
    urls.set(key, made);
    return made;
  }

  /** @param {string} key */
  function forgetSound(key) {
    const known = urls.get(key);
    if (known) URL.revokeObjectURL(known);
    urls.delete(key);
    store.forgetAnswer("sound", key);
  }

  function close() {
    closeQuestions();
    for (const known of urls.values()) URL.revokeObjectURL(known);
  }

  return Object.assign(store, {url, forgetSound, close});
}

/** An audio element of ours. */
export function newAudio() {
  return Object.assign(new Audio(), {preload: "auto"});
}

/**
 * Points an audio element to a sound; done when it can be played.
 *
 * @param {HTMLAudioElement} audio
 * @param {string} url
 */
export function loadInto(audio, url) {
  return new Promise((done, failed) => {
    audio.onloadedmetadata = done;
    audio.onerror = () => failed(new Error(audio.error?.message || "the browser cannot play it"));
    audio.src = url;
  });
}

/**
 * An audio element with the sound of a key in it, ready to play.
 *
 * @param {Sounds} store
 * @param {string} key
 * @returns {Promise<LoadedSound>}
 */
export async function loadSound(store, key) {
  const url = await store.url(key);
  const {louder_db: louder} = await store.get("sound", key);
  const audio = newAudio();
  await loadInto(audio, url);
  return {audio, louder: louder ?? 0};
}
