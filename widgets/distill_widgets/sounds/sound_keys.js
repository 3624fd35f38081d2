// @ts-check
// Keys of sounds, as `inside/sound_keys.py` reads them.

/** @typedef {string} SoundKey */

/**
 * What is played of a whole sound.
 *
 * @param {number} count levels together, from the first
 */
export function firstSource(count) {
  return `first-${count}`;
}

/** @param {number} level from 0, alone */
export function aloneSource(level) {
  return `alone-${level}`;
}

/** The level that a source plays alone; none for other sources. */
/** @param {string} source */
export function aloneLevel(source) {
  return source.startsWith("alone-") ? Number(source.slice("alone-".length)) : null;
}

/** What was recorded. */
export const ORIGINAL = "original";

/** @param {string} source @param {number} piece @returns {SoundKey} */
export function partKey(source, piece) {
  return `part/${source}/${piece}`;
}

/** @param {number} level @param {number} step @returns {SoundKey} */
export function cellKey(level, step) {
  return `cell/${level}/${step}`;
}

/** All levels of a step. */
/** @param {number} step @returns {SoundKey} */
export function columnKey(step) {
  return `moment/${step}`;
}

/** @param {number} level @param {number} entry @returns {SoundKey} */
export function entryKey(level, entry) {
  return `entry/${level}/${entry}`;
}

/** Where an entry is heard in the corpus. */
/** @param {number} level @param {number} entry @param {number} number @returns {SoundKey} */
export function momentKey(level, entry, number) {
  return `moment/${level}/${entry}/${number}`;
}
