// @ts-check
// One voice for a whole sound: it plays a source in pieces, one after the other, and changes to
// another source at the same place without a pause. Pieces are fetched when they are needed.
/** @import {LoadedSound, Sounds} from "./sound_store" */

import {partKey} from "./sound_keys.js";
import {loadSound} from "./sound_store.js";

const MOST_PIECES = 24; // kept in the page: four minutes
const AT_THE_END_S = 0.01;

/**
 * @typedef {object} Pieces how long a sound is, and its pieces
 * @property {number} steps
 * @property {number} piece_steps
 * @property {number} step_s
 * @property {number} seconds
 */
/**
 * @typedef {object} VoiceOptions
 * @property {Sounds} store
 * @property {Pieces} facts
 * @property {HTMLElement} place for audio elements
 * @property {string} source
 * @property {() => void} changed
 * @property {(error: Error) => void} failed
 */

export class Voice {
  /** @param {VoiceOptions} options */
  constructor({store, facts, place, source, changed, failed}) {
    this.store = store;
    this.place = place;
    this.changed = changed;
    this.failed = failed;
    this.whole = facts.seconds;
    this.pieceS = facts.piece_steps * facts.step_s;
    this.pieces = Math.ceil(facts.steps / facts.piece_steps);
    this.source = source;
    this.isPlaying = false;
    this.isWaiting = false;
    this.louder = 0;
    /** @type {string[]} keys of pieces, the latest asked for last */
    this.known = [];
    this.resting = 0; // where it is while nothing plays
    this.piece = 0;
    this.turn = 0;
    /** @type {HTMLAudioElement | null} */
    this.audio = null;
    /** @type {{key: string, sound: Promise<LoadedSound>} | null} */
    this.upcoming = null;
  }

  /** Where it is, in seconds. */
  get seconds() {
    if (!this.audio) return this.resting;
    return Math.min(this.piece * this.pieceS + this.audio.currentTime, this.whole);
  }

  get isGoing() {
    return this.isPlaying || this.isWaiting;
  }

  /**
   * What is played goes on until the new piece is there; the place is looked up only then.
   *
   * @param {number | null} at in seconds; default where it is
   */
  async play(source = this.source, at = /** @type {number | null} */ (null)) {
    this.turn += 1;
    const mine = this.turn;
    this.source = source;
    this.isWaiting = true;
    if (at === null && !this.audio && this.resting >= this.whole - AT_THE_END_S) this.resting = 0;
    this.changed();
    try {
      if (!(await this.playPiece(at, mine))) return;
      this.isPlaying = true;
      this.prepare(this.piece + 1);
    } catch (error) {
      if (mine !== this.turn) return;
      this.pause();
      this.failed(/** @type {Error} */ (error));
    } finally {
      if (mine === this.turn) this.isWaiting = false;
      this.changed();
    }
  }

  /**
   * @param {number | null} at
   * @param {number} mine
   * @returns {Promise<boolean>} false where something else was wanted meanwhile
   */
  async playPiece(at, mine) {
    const number = this.pieceAt(at ?? this.seconds);
    const {audio, louder} = await this.take(number);
    if (mine !== this.turn) return false;
    const now = at ?? this.seconds;
    if (this.pieceAt(now) !== number) return this.playPiece(at, mine); // it went on meanwhile
    this.leave();
    this.audio = audio;
    this.piece = number;
    this.louder = louder;
    this.place.append(audio);
    audio.currentTime = Math.max(0, now - number * this.pieceS);
    audio.onended = () => this.next(number + 1);
    await audio.play();
    return true;
  }

  /** @param {number} seconds */
  pieceAt(seconds) {
    return Math.min(Math.floor(seconds / this.pieceS), this.pieces - 1);
  }

  /** @param {number} number */
  next(number) {
    if (number < this.pieces) {
      this.play(this.source, number * this.pieceS);
      return;
    }
    this.leave();
    this.resting = 0;
    this.isPlaying = false;
    this.changed();
  }

  pause() {
    this.turn += 1;
    this.resting = this.seconds;
    this.leave();
    this.isPlaying = false;
    this.isWaiting = false;
    this.changed();
  }

  /** @param {number} seconds */
  moveTo(seconds) {
    if (this.isPlaying) {
      this.play(this.source, seconds);
      return;
    }
    this.leave();
    this.resting = seconds;
    this.changed();
  }

  close() {
    this.turn += 1;
    this.leave();
  }

  leave() {
    if (!this.audio) return;
    this.audio.onended = null;
    this.audio.pause();
    this.audio.remove();
    this.audio = null;
  }

  // --- pieces ---------------------------------------------------------------------------------

  /** @param {string} key */
  async open(key) {
    const sound = await loadSound(this.store, key);
    this.keep(key);
    return sound;
  }

  /** @param {string} key */
  keep(key) {
    this.known = [...this.known.filter((other) => other !== key), key];
    const oldest = this.known.length > MOST_PIECES ? this.known.shift() : undefined;
    if (oldest) this.store.forgetSound(oldest);
  }

  /**
   * Fetches a piece before it is wanted.
   *
   * @param {number} number
   */
  prepare(number) {
    if (number >= this.pieces) return;
    const key = partKey(this.source, number);
    if (this.upcoming?.key === key) return;
    this.upcoming = {key, sound: this.open(key)};
    this.upcoming.sound.catch(() => {}); // said when it is really wanted
  }

  /** @param {number} number */
  take(number) {
    const key = partKey(this.source, number);
    if (this.upcoming?.key !== key) return this.open(key);
    const {sound} = this.upcoming;
    this.upcoming = null;
    return sound;
  }
}
