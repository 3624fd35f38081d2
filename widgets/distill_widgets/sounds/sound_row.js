// @ts-check
// A row with one player: an original and what was made of it, switched at the same position. Sound
// is fetched when somebody presses Play; both sides then run together, one of them silent, so that
// switching is heard at once and nothing else changes.
/** @import {Sounds} from "./sound_store" */

import {numbers} from "../page/buffers.js";
import {actOnKey} from "../page/keys.js";
import {element, setText} from "../page/text.js";
import {themeColour} from "../page/theme.js";
import {LOOK_MS, paintEnvelope, paintMel} from "./paint.js";
import {loadInto, newAudio} from "./sound_store.js";

const DRIFT_S = 0.03;
const SKIP_S = 0.5;

/** @typedef {{name: string, seconds: number, sides: string[], keys: string[]}} RowSpec */
/** @typedef {{isLooping: boolean, quiet: (playing: SoundRow) => void}} Owner */

export class SoundRow {
  /** @param {Sounds} store @param {RowSpec} spec @param {Owner} owner */
  constructor(store, spec, owner) {
    this.store = store;
    this.spec = spec;
    this.owner = owner;
    this.side = 0;
    /** @type {string[]} of the sounds of its sides */
    this.keys = [];
    /** @type {string[]} of the sounds that are ready to play */
    this.loadedKeys = [];
    /** @type {string[]} of the sounds whose mel pictures are shown */
    this.melKeys = [];
    /** @type {(string | undefined)[]} of the sounds whose outlines are there, or asked for */
    this.peakKeys = [];
    /** @type {(Int8Array | null)[]} */
    this.peaks = [];
    this.el = element("div", "distill-sound");
    this.button = element("button", "distill-play", "▶");
    this.wave = element("canvas", "distill-wave");
    this.time = element("span", "distill-time");
    this.note = element("div", "distill-sound-note");
    this.toggles = spec.sides.map((label) => element("button", "distill-toggle", label));
    this.mels = spec.sides.map((title) => Object.assign(element("canvas", "distill-mel"), {title}));
    this.pictures = element("div", "distill-mels");
    this.audios = spec.sides.map(newAudio);
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.looking = undefined;
    this.layOut();
    this.listen();
    this.turnTo(0);
  }

  layOut() {
    const line = element("div", "distill-sound-line");
    const name = element("span", "distill-sound-name", this.spec.name);
    const choice = element("span", "distill-ab");
    name.title = this.spec.name;
    choice.append(...this.toggles);
    line.append(this.button, name, choice, this.wave, this.time);
    this.pictures.hidden = true;
    this.pictures.append(...this.mels);
    this.button.setAttribute("aria-label", `play ${this.spec.name}`);
    this.el.tabIndex = 0;
    this.el.append(line, this.note, this.pictures, ...this.audios);
  }

  listen() {
    this.toggles.forEach((button, side) => {
      button.onclick = () => this.turnTo(side);
    });
    this.button.onclick = () => this.toggle();
    this.wave.onclick = (event) => this.seek(event.offsetX / this.wave.clientWidth);
    this.el.onkeydown = (event) => this.onKey(event);
    this.audio.onended = () => {
      if (!this.audio.loop) this.stop();
    };
  }

  /** The first side's, which says where the row is. */
  get audio() {
    return this.audios[0];
  }

  get isPlaying() {
    return !this.audio.paused;
  }

  /** Whether it is played over and over. */
  get isLooping() {
    return this.owner.isLooping;
  }

  /** Where it is, in seconds. */
  get position() {
    return this.audio.currentTime;
  }

  get seconds() {
    return Number.isFinite(this.audio.duration) ? this.audio.duration : this.spec.seconds;
  }

  /** @param {string} key @returns {(() => void) | undefined} */
  actionOf(key) {
    /** @type {Record<string, () => void>} */
    const actions = {
      " ": () => this.toggle(),
      x: () => this.turnTo((this.side + 1) % this.toggles.length),
      a: () => this.turnTo(0),
      b: () => this.turnTo(this.toggles.length - 1),
      ArrowLeft: () => this.skip(-SKIP_S),
      ArrowRight: () => this.skip(SKIP_S),
    };
    return actions[key];
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (event.key === " " && event.target !== this.el) return; // a button's own key
    actOnKey(event, this.actionOf(event.key));
  }

  /**
   * Shows the sounds of these keys; what plays goes on with them.
   *
   * @param {string[]} keys
   */
  async use(keys) {
    if (keys.join("\n") === this.keys.join("\n")) return; // the rows were sent anew, not others
    this.keys = keys;
    if (this.isPlaying) {
      await this.load(this.audio.currentTime).catch((error) => this.fail(error));
    }
    await this.look();
  }

  /** @param {string} note on the sounds that are used */
  say(note) {
    this.note.hidden = note === "";
    setText(this.note, note);
  }

  /** @param {unknown} error */
  fail(error) {
    this.stop();
    this.el.dataset.status = "error";
    setText(this.time, Object(error).message ?? error);
    this.loadedKeys = [];
  }

  // --- what it looks like ---------------------------------------------------------------------

  /** The outline of the side that is heard: the others may have to be made first. */
  async look() {
    const {side} = this;
    const key = this.keys[side];
    if (!this.pictures.hidden && this.keys !== this.melKeys) this.showMels(this.keys);
    if (key === undefined || this.peakKeys[side] === key) return;
    this.peakKeys[side] = key;
    const answer = await this.store.get("peaks", key);
    if (this.peakKeys[side] !== key) return;
    if (answer.error) this.peakKeys[side] = undefined; // asked anew the next time
    this.peaks[side] = answer.error ? null : numbers(answer.buffers[0], Int8Array);
    this.paint();
  }

  /** @param {string[]} keys */
  async showMels(keys) {
    this.melKeys = keys;
    const answers = await Promise.all(keys.map((key) => this.store.get("mel", key)));
    answers.forEach(({error, shape, buffers}, side) => {
      if (error || keys !== this.keys) return;
      paintMel(this.mels[side], numbers(buffers[0], Uint8Array), shape, this.el);
      this.el.dataset.mels = String(side + 1);
    });
  }

  openPictures() {
    if (!this.pictures.hidden) return;
    this.pictures.hidden = false;
    this.showMels(this.keys);
  }

  paint() {
    const peaks = this.peaks[this.side];
    const share = this.seconds ? this.position / this.seconds : 0;
    if (peaks && this.wave.clientWidth) {
      const ink = themeColour(this.el, "var(--distill-muted)");
      const played = themeColour(this.el, "var(--distill-accent)");
      paintEnvelope(this.wave, peaks, share, ink, played);
    }
    setText(this.time, `${this.position.toFixed(1)} / ${this.seconds.toFixed(1)} s`);
  }

  // --- what it plays --------------------------------------------------------------------------

  /** @param {number} side */
  turnTo(side) {
    this.side = side;
    this.toggles.forEach((button, i) => {
      button.setAttribute("aria-pressed", String(i === side));
    });
    if (this.isPlaying) this.catchUp();
    this.audios.forEach((audio, i) => {
      audio.muted = i !== side;
    });
    this.el.dataset.side = this.spec.sides[side];
    this.look();
    this.paint();
  }

  /** Brings the side that is turned to where the others are. */
  catchUp() {
    const now = this.audios[this.side === 0 ? 1 : 0]?.currentTime ?? 0;
    const next = this.audios[this.side];
    if (Math.abs(next.currentTime - now) > DRIFT_S) next.currentTime = now;
  }

  /**
   * Plays all sides from a position on, fetched where they are not there yet.
   *
   * @param {number} position
   * @returns {Promise<void>}
   */
  async load(position) {
    const {keys} = this;
    if (this.loadedKeys !== keys) {
      await this.fetch(keys);
      if (keys !== this.keys) return this.load(position); // others are wanted meanwhile
      this.loadedKeys = keys;
      this.el.dataset.duration = String(this.audio.duration);
    }
    for (const audio of this.audios) {
      audio.currentTime = position;
      audio.loop = this.isLooping;
    }
    await Promise.all(this.audios.map((audio) => audio.play()));
  }

  /** @param {string[]} keys */
  async fetch(keys) {
    this.el.dataset.status = "fetching";
    const urls = await Promise.all(keys.map((key) => this.store.url(key)));
    if (keys !== this.keys) return;
    const loads = this.audios.map((audio, i) => audio.src !== urls[i] && loadInto(audio, urls[i]));
    await Promise.all(loads);
  }

  async toggle() {
    if (this.isPlaying) {
      this.stop();
      return;
    }
    this.owner.quiet(this);
    try {
      const loading = this.load(this.audio.ended ? 0 : this.audio.currentTime);
      this.openPictures(); // asked for after the sound, which need not wait for them
      await loading;
      this.el.dataset.status = "playing";
      setText(this.button, "❚❚");
      this.follow();
    } catch (error) {
      this.fail(error);
    }
  }

  /**
   * Plays one side from its start, whatever plays now.
   *
   * @param {number} side
   */
  async playSide(side) {
    this.stop();
    this.audio.currentTime = 0;
    this.turnTo(side);
    await this.toggle();
  }

  /** Shows where it is for as long as it plays. */
  follow() {
    clearTimeout(this.looking);
    this.paint();
    if (this.isPlaying) this.looking = setTimeout(() => this.follow(), LOOK_MS);
  }

  stop() {
    for (const audio of this.audios) audio.pause();
    setText(this.button, "▶");
    if (this.el.dataset.status === "playing") this.el.dataset.status = "paused";
    this.paint();
  }

  /** @param {number} seconds */
  skip(seconds) {
    this.seek((this.position + seconds) / this.seconds);
  }

  /** @param {number} share in [0, 1] */
  async seek(share) {
    if (this.loadedKeys !== this.keys) await this.toggle();
    const at = Math.min(Math.max(share, 0), 1) * this.seconds;
    for (const audio of this.audios) audio.currentTime = at;
    this.paint();
  }

  /** Takes over what its owner wants now. */
  loop() {
    for (const audio of this.audios) audio.loop = this.isLooping;
  }

  close() {
    for (const audio of this.audios) {
      audio.pause();
      audio.removeAttribute("src");
    }
  }
}
