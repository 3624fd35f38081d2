// @ts-check
// One short sound at a time: a click plays it, and ends the one before.
/** @import {Sounds} from "./sound_store" */

import {LATE, whenLate} from "../page/questions.js";
import {loadSound} from "./sound_store.js";

export class SingleSound {
  /**
   * @param {Sounds} store
   * @param {HTMLElement} el the view; its `data-` says what was asked for and what was played
   * @param {HTMLElement} place for the audio element
   * @param {(text: string, isError?: boolean) => void} report
   */
  constructor(store, el, place, report) {
    this.store = store;
    this.el = el;
    this.place = place;
    this.report = report;
    this.turn = 0;
    /** @type {HTMLAudioElement | null} */
    this.audio = null;
  }

  /**
   * @param {string} key
   * @param {string} text what it is
   */
  async play(key, text) {
    const began = performance.now();
    this.turn += 1;
    const mine = this.turn;
    this.pause();
    this.el.dataset.asked = key;
    this.report(text);
    try {
      const audio = await this.load(key, text, mine);
      if (mine !== this.turn || !audio) return;
      await audio.play();
      const clickMs = (performance.now() - began).toFixed(0);
      Object.assign(this.el.dataset, {heard: key, duration: audio.duration, clickMs});
    } catch (error) {
      if (mine === this.turn) this.report(String(Object(error).message ?? error), true);
    }
  }

  /**
   * @param {string} key
   * @param {string} text
   * @param {number} mine
   */
  async load(key, text, mine) {
    const late = () => mine === this.turn && this.report(`${text} · ${LATE}`);
    const {audio, louder} = await whenLate(loadSound(this.store, key), late);
    if (mine !== this.turn) return null;
    this.audio?.remove();
    this.audio = audio;
    this.place.append(audio);
    this.report(louder ? `${text} · made ${louder} dB louder` : text);
    return audio;
  }

  pause() {
    this.audio?.pause();
  }

  /** Nothing that was asked for is played any more. */
  close() {
    this.turn += 1;
    this.pause();
  }
}
