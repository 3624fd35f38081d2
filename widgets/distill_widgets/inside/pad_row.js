// @ts-check
// The row of a pad: its sound is heard while it is drawn, and as any other once it is there.
/** @import {PadFacts} from "../page/messages" */
/** @import {Owner, RowSpec} from "../sounds/sound_row" */
/** @import {Sounds} from "../sounds/sound_store" */

import {setText} from "../page/text.js";
import {LiveSound, mayPlay} from "../sounds/live_sound.js";
import {SoundRow} from "../sounds/sound_row.js";
import {GapFields} from "./gap_fields.js";

/** @typedef {RowSpec & {pad: PadFacts}} PadSpec */

export class PadRow extends SoundRow {
  /** @param {Sounds} store @param {RowSpec} spec @param {Owner} owner */
  constructor(store, spec, owner) {
    super(store, spec, owner);
    this.isDrawn = true;
    this.isWaiting = false; // to be played once it is drawn
    /** @type {LiveSound | null} */
    this.live = null;
    this.gap = new GapFields(spec.name, spec.seconds); // stays, with what was typed
  }

  get pad() {
    return /** @type {PadSpec} */ (this.spec).pad;
  }

  /** A loop is one whatever its owner wants. */
  get isLooping() {
    return super.isLooping || this.pad.loops;
  }

  /** @param {RowSpec} spec @param {boolean} isDrawn */
  become(spec, isDrawn) {
    const isNew = isDrawn && !this.isDrawn;
    this.spec = spec;
    this.isDrawn = isDrawn;
    this.el.dataset.drawn = String(isDrawn);
    if (!isNew) return;
    this.live?.finish();
    this.look();
    if (this.isWaiting) this.playSide(0);
    this.isWaiting = false;
  }

  /**
   * Plays a piece behind those before.
   *
   * @param {number} place from 0
   * @param {Float32Array<ArrayBuffer>} samples
   * @param {number} rate
   */
  hear(place, samples, rate) {
    if (place === 0) this.begin(rate);
    if (this.live?.pieces !== place) return; // the page has come later than the first piece
    this.live.add(samples);
    this.el.dataset.pieces = String(place + 1);
  }

  /** @param {number} rate */
  begin(rate) {
    this.live?.close();
    this.live = null;
    this.isWaiting = !mayPlay();
    if (this.isWaiting) return;
    try {
      this.live = new LiveSound(rate, () => this.over(), this.pad.loops);
    } catch {
      this.isWaiting = true; // no such rate in this browser
      return;
    }
    this.playing();
  }

  over() {
    this.live = null;
    this.stop();
    if (this.isLooping) this.playSide(0);
  }

  playing() {
    this.el.dataset.status = "playing";
    setText(this.button, "❚❚");
    this.follow();
  }

  get isPlaying() {
    return this.live?.isPlaying || super.isPlaying;
  }

  get position() {
    return this.live ? this.live.seconds : super.position;
  }

  async look() {
    if (this.isDrawn) await super.look();
  }

  async toggle() {
    if (this.live && !this.isPlaying) {
      this.owner.quiet(this);
      this.live.play();
      if (this.live) this.playing();
    } else if (this.isPlaying || this.isDrawn) await super.toggle();
  }

  stop() {
    if (this.live?.isPlaying) this.live.pause();
    super.stop();
  }

  /** @param {number} side */
  async playSide(side) {
    this.leave();
    await super.playSide(side);
  }

  /** @param {number} share */
  async seek(share) {
    if (!this.isDrawn) return;
    const wasPlaying = this.isPlaying;
    this.stop();
    this.leave();
    await super.seek(share);
    if (wasPlaying && !this.isPlaying) await this.toggle();
  }

  /** Plays the whole from now on. */
  leave() {
    this.live?.close();
    this.live = null;
  }

  close() {
    this.leave();
    super.close();
  }
}
