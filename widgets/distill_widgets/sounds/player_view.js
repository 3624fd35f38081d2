// @ts-check
// Rows of sounds, and a slider through the stages of what was made of them: what widgets that play
// are built on.
/** @import {Model} from "../page/types" */
/** @import {RowSpec} from "./sound_row" */
/** @import {Sounds} from "./sound_store" */

import {storeOf} from "../page/store.js";
import {element, setText} from "../page/text.js";
import {markDarkness, onThemeChange} from "../page/theme.js";
import {SoundRow} from "./sound_row.js";
import {openSounds} from "./sound_store.js";

/**
 * @typedef {{key: string, label: string, notes: string[], distances: (number | null)[]}} Stage
 */
/** @typedef {{name: string, rows: RowSpec[], stages: Stage[], empty: string, plays: number}} Traits */

/**
 * Where a sound is to be heard that nobody has chosen a place for; the other places are quiet.
 *
 * @param {Sounds} store
 */
export function placeToPlay(store) {
  const places = /** @type {PlayerView[]} */ ([...store.views]);
  const chosen = places.find((place) => place.isInSight) ?? places[0];
  for (const place of places) if (place !== chosen) place.quiet(null);
  return chosen;
}

/**
 * Has one of the places that show a player play what the kernel wants to be heard: from two cells
 * the same sound would be heard twice.
 *
 * @param {Model<Traits>} model @param {Sounds} store
 * @returns {() => void} what ends that
 */
function playInOnePlace(model, store) {
  const play = () => placeToPlay(store)?.playNewest();
  model.on("change:plays", play);
  return () => model.off("change:plays", play);
}

/**
 * What a page knows of a player; returns what ends it.
 *
 * @param {Model<Traits>} model
 */
export function openPlayer(model) {
  const store = openSounds(model, {});
  const stop = playInOnePlace(model, store);
  return () => {
    stop();
    store.close();
  };
}

/** One place on a page that shows the player; it owns the rows. */
export class PlayerView {
  /** @param {Model<Traits>} model @param {HTMLElement} el */
  constructor(model, el) {
    this.model = model;
    this.el = el;
    /** @type {Sounds} */
    this.store = storeOf(model);
    this.isLooping = false;
    this.isNewest = true; // follows the newest stage until somebody looks back
    /** @type {SoundRow[]} */
    this.rows = [];
    this.built = ""; // what the rows were made of
    this.list = element("div");
    this.empty = element("p", "distill-quiet");
    this.slider = Object.assign(element("input"), {type: "range", min: "0", step: "1"});
    this.stage = element("label");
    this.stageName = element("span", "distill-stage");
    this.loop = element("button", "distill-toggle", "loop");
    this.tools = element("span", "distill-chart-tools");
  }

  layOut() {
    const bar = element("div", "distill-chart-bar");
    this.el.classList.add("distill", "distill-player");
    this.slider.setAttribute("aria-label", "stage");
    this.loop.setAttribute("aria-pressed", "false");
    this.stage.append(this.stageName, this.slider);
    this.tools.append(this.stage, this.loop);
    bar.append(element("span", "distill-chart-title", this.model.get("name")), this.tools);
    this.el.append(bar, this.list, this.empty);
  }

  /** Lays it out and follows the model; returns what ends that. */
  open() {
    const {model, el, store} = this;
    const show = () => this.show();
    const repaint = () => this.repaint();
    this.layOut();
    markDarkness(el);
    this.loop.onclick = () => this.toggleLoop();
    this.slider.oninput = () => this.turnStage();
    model.on("change:rows change:stages", show);
    const themed = onThemeChange(repaint);
    const sizes = new ResizeObserver(repaint);
    sizes.observe(el);
    store.views.add(this);
    this.show();
    return () => {
      themed();
      sizes.disconnect();
      model.off("change:rows change:stages", show);
      for (const row of this.rows) row.close();
      store.views.delete(this);
    };
  }

  /** Whether a part of it is on the screen. */
  get isInSight() {
    const {top, bottom, height} = this.el.getBoundingClientRect();
    return height > 0 && bottom > 0 && top < window.innerHeight;
  }

  /** Plays the last version of the first row, from its start. */
  playNewest() {
    const [row] = this.rows;
    return row?.playSide(row.spec.sides.length - 1);
  }

  show() {
    const [rows, stages] = [this.model.get("rows"), this.model.get("stages")];
    this.slider.max = String(Math.max(0, stages.length - 1));
    if (this.isNewest) this.slider.value = this.slider.max;
    this.stage.hidden = stages.length < 2;
    this.loop.hidden = !rows.length;
    setText(this.empty, rows.length ? "" : this.model.get("empty"));
    this.el.dataset.rows = String(rows.length);
    this.el.dataset.stages = String(stages.length);
    this.build(rows);
    this.use();
  }

  /** @param {RowSpec[]} specs */
  build(specs) {
    const made = JSON.stringify(specs);
    if (made === this.built) return;
    this.built = made;
    const left = [...this.rows];
    this.rows = specs.map((spec) => this.rowOf(spec, left));
    for (const row of left) row.close();
    this.list.replaceChildren(...this.rows.map((row, i) => this.placeOf(row, specs[i])));
  }

  /**
   * The row of a sound; one that is there stays, and plays on.
   *
   * @param {RowSpec} spec
   * @param {SoundRow[]} left those without a place; what is found is taken out
   */
  rowOf(spec, left) {
    const at = left.findIndex((row) => this.soundOf(row.spec) === this.soundOf(spec));
    return at < 0 ? this.newRow(spec) : left.splice(at, 1)[0];
  }

  /**
   * By which a row is known again.
   *
   * @param {RowSpec} spec
   */
  soundOf({name, seconds, sides, keys}) {
    return JSON.stringify([name, seconds, sides, keys]);
  }

  /** @param {RowSpec} spec */
  newRow(spec) {
    return new SoundRow(this.store, spec, this);
  }

  /**
   * What stands in the list for a row.
   *
   * @param {SoundRow} row
   * @param {RowSpec} _spec
   * @returns {HTMLElement}
   */
  placeOf(row, _spec) {
    return row.el;
  }

  /** Has every row show the sounds of the stage. */
  use() {
    const at = this.model.get("stages")[Number(this.slider.value)];
    setText(this.stageName, at?.label ?? "");
    this.el.dataset.stage = at?.key ?? "";
    this.rows.forEach((row, i) => {
      row.say(at?.notes[i] ?? "");
      row.use(row.spec.keys.map((key) => (at ? key.replace("{stage}", at.key) : key)));
    });
  }

  turnStage() {
    this.isNewest = this.slider.value === this.slider.max;
    this.use();
  }

  toggleLoop() {
    this.isLooping = !this.isLooping;
    this.loop.setAttribute("aria-pressed", String(this.isLooping));
    for (const row of this.rows) row.loop();
  }

  /** @param {SoundRow | null} playing all others stop */
  quiet(playing) {
    for (const row of this.rows) if (row !== playing) row.stop();
  }

  repaint() {
    markDarkness(this.el);
    for (const row of this.rows) row.paint();
  }
}
