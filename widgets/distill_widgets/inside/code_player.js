// @ts-check
// The line above a grid of codes: it plays the whole sound, from one source or another.
/** @import {CodesFacts} from "../page/messages" */
/** @import {Sounds} from "../sounds/sound_store" */

import {clock} from "../page/amounts.js";
import {element, setText} from "../page/text.js";
import {LOOK_MS} from "../sounds/paint.js";
import {aloneLevel, firstSource, ORIGINAL} from "../sounds/sound_keys.js";
import {Voice} from "../sounds/voice.js";
import {SourceBar} from "./code_sources.js";

const CLOCK_TICK_S = 0.1;

/**
 * @typedef {object} PlayerOptions
 * @property {Sounds} store
 * @property {CodesFacts} facts
 * @property {HTMLElement} place for audio elements
 * @property {() => void} starting called before it plays
 * @property {() => void} changed called when it plays, waits, pauses or has another source
 * @property {() => void} moved called when it is at another place
 * @property {(error: Error) => void} failed
 */

export class CodePlayer {
  /** @param {PlayerOptions} options */
  constructor(options) {
    const {store, facts, place, failed} = options;
    this.options = options;
    this.whole = firstSource(facts.levels);
    this.compared = facts.original ? ORIGINAL : this.whole; // what x goes back to
    this.listened = this.whole; // what plays again after a row was played
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.looking = undefined;
    this.button = element("button", "distill-play", "▶");
    this.sources = new SourceBar(facts, (source) => this.choose(source));
    this.time = element("span", "distill-time");
    this.el = element("div", "distill-codes-line");
    const changed = () => this.follow();
    this.voice = new Voice({store, facts, place, source: this.whole, changed, failed});
    this.button.setAttribute("aria-label", "play the whole sound");
    this.button.onclick = () => this.toggle();
    this.el.append(this.button, this.sources.el, this.time);
  }

  // --- what somebody wants --------------------------------------------------------------------

  /** @param {string} source played, or paused where it plays already */
  play(source, toggles = true) {
    const {voice} = this;
    if (toggles && voice.isPlaying && voice.source === source) {
      voice.pause();
      return;
    }
    this.options.starting();
    voice.play(source);
  }

  /** @param {string} source at the same place; does not start by itself */
  choose(source) {
    const {voice} = this;
    const isOther = voice.source !== source;
    if (isOther && aloneLevel(voice.source) === null) this.compared = voice.source;
    if (voice.isGoing) {
      this.play(source, false);
      return;
    }
    voice.source = source;
    this.follow();
  }

  /** Changes between the original and what was listened to before. */
  compare() {
    if (!this.options.facts.original) return;
    const made = this.compared === ORIGINAL ? this.whole : this.compared;
    this.choose(this.voice.source === ORIGINAL ? made : ORIGINAL);
  }

  toggle() {
    if (this.voice.isGoing) this.voice.pause();
    else this.play(this.voice.source);
  }

  pause() {
    if (this.voice.isGoing) this.voice.pause();
  }

  close() {
    this.voice.close();
    clearTimeout(this.looking);
  }

  // --- following what happens -----------------------------------------------------------------

  follow() {
    const {voice} = this;
    if (aloneLevel(voice.source) === null) this.listened = voice.source;
    else if (!voice.isGoing) voice.source = this.listened; // what plays next is everything again
    setText(this.button, voice.isGoing ? "❚❚" : "▶");
    this.sources.show(voice.source);
    this.options.changed();
    this.showTime();
    if (voice.isGoing && this.looking === undefined) this.nextLook();
  }

  nextLook() {
    this.looking = setTimeout(() => {
      this.looking = undefined;
      this.showTime();
      if (this.voice.isGoing) this.nextLook();
    }, LOOK_MS);
  }

  showTime() {
    const {seconds} = this.voice;
    const whole = clock(this.options.facts.seconds, CLOCK_TICK_S);
    setText(this.time, `${clock(seconds, CLOCK_TICK_S)} / ${whole}`);
    this.options.moved();
  }
}
