// @ts-check
// Codes to look at and to listen to: names of the levels at the left, the grid, and what plays.
/** @import {CodesFacts} from "../page/messages" */
/** @import {Model, Shown} from "../page/types" */
/** @import {Sounds} from "../sounds/sound_store" */

import {clock} from "../page/amounts.js";
import {numbers} from "../page/buffers.js";
import {entryColours} from "../page/colours.js";
import {LATE, whenLate} from "../page/questions.js";
import {statusLine} from "../page/status_line.js";
import {storeOf} from "../page/store.js";
import {element, setText} from "../page/text.js";
import {markDarkness, onThemeChange} from "../page/theme.js";
import {SingleSound} from "../sounds/single_sound.js";
import {aloneLevel, cellKey, columnKey, firstSource, ORIGINAL} from "../sounds/sound_keys.js";
import {openSounds} from "../sounds/sound_store.js";
import {Voice} from "../sounds/voice.js";
import {CodeGrid} from "./code_grid.js";
import {LevelNames} from "./level_names.js";

const CLOCK_TICK_S = 0.1;
const PAGE_STEPS = 32;
/** @type {Record<string, [number, number]>} levels and steps that a key moves by */
const MOVES = {
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  PageUp: [0, -PAGE_STEPS],
  PageDown: [0, PAGE_STEPS],
  Home: [0, Number.NEGATIVE_INFINITY],
  End: [0, Number.POSITIVE_INFINITY],
};

/** @typedef {{name: string, facts: CodesFacts, labels: string[], hues: DataView}} Traits */
/** @typedef {{key: string, label: string, title: string}} Source */

/** @param {Shown<Traits>} shown */
function initialize({model}) {
  return openSounds(model, {}).close;
}

/** @param {number} count @param {number} levels */
function titleOfFirst(count, levels) {
  if (count === levels) return "all levels: the reconstruction";
  return count > 1 ? `the first ${count} levels` : "the first level";
}

/**
 * What can be played of a whole sound; the last is the whole reconstruction.
 *
 * @param {{levels: number, original: boolean}} facts
 * @returns {Source[]}
 */
function sourcesOf({levels, original}) {
  const counts = Array.from({length: levels}, (_, n) => n + 1);
  const first = counts.map((count) => ({
    key: firstSource(count),
    label: counts.slice(0, count).join("+"),
    title: titleOfFirst(count, levels),
  }));
  const recorded = {key: ORIGINAL, label: ORIGINAL, title: "what was recorded"};
  return original ? [recorded, ...first] : first;
}

/** One place on a page that shows the codes. */
class CodesView {
  /** @param {Model<Traits>} model @param {HTMLElement} el */
  constructor(model, el) {
    this.model = model;
    this.el = el;
    this.facts = model.get("facts");
    /** @type {Sounds} */
    this.store = storeOf(model);
    this.status = statusLine(el);
    this.whole = firstSource(this.facts.levels);
    this.compared = this.facts.original ? ORIGINAL : this.whole; // what x goes back to
    this.listened = this.whole; // what plays again after a row was played
    this.frame = 0;
    this.isFollowing = true; // until somebody scrolls away
    this.playButton = element("button", "distill-play", "▶");
    this.time = element("span", "distill-time");
    this.sourceBar = element("span", "distill-ab");
    this.writeButton = element("button", "distill-toggle");
    this.place = element("span");
    this.grid = this.makeGrid();
    this.single = new SingleSound(this.store, el, this.place, this.status.report);
    this.voice = this.makeVoice();
    this.names = this.makeNames();
  }

  makeGrid() {
    const {store, facts, el} = this;
    const hues = numbers(this.model.get("hues"), Uint16Array);
    const colours = entryColours(hues, facts.levels, facts.entries);
    /** @param {number | null} level @param {number} step */
    const onClick = (level, step) => {
      this.select(level, step);
      this.playSelected();
    };
    return new CodeGrid({store, facts, el, colours, onClick});
  }

  makeVoice() {
    const {store, facts, place, whole: source} = this;
    /** @param {Error} error */
    const failed = (error) => {
      this.status.report(error.message, true);
      this.el.dataset.status = "error";
    };
    return new Voice({store, facts, place, source, changed: () => this.follow(), failed});
  }

  makeNames() {
    const {model, store, facts, el} = this;
    return new LevelNames({
      model,
      store,
      el,
      colours: facts.colours,
      report: this.status.report,
      play: (source) => this.playSource(source),
      shown: () => this.follow(),
      renamed: () => {
        this.writeButton.hidden = !facts.file;
      },
    });
  }

  // --- parts of the page ----------------------------------------------------------------------

  layOut() {
    const {el, facts} = this;
    const line = element("div", "distill-codes-line");
    const body = element("div", "distill-grid");
    el.classList.add("distill", "distill-codes");
    el.tabIndex = 0;
    el.setAttribute("role", "application");
    el.setAttribute("aria-label", `codes of ${this.model.get("name")}: arrows move, Enter plays`);
    el.dataset.lmSuppressShortcuts = "true"; // the notebook has its own meaning for arrows and keys
    el.dataset.status = "ready";
    this.playButton.setAttribute("aria-label", "play the whole sound");
    this.sourceBar.append(...sourcesOf(facts).map((source) => this.sourceButton(source)));
    line.append(this.playButton, this.sourceBar, this.time);
    body.append(this.names.el, this.grid.scroller);
    el.append(this.titleBar(), line, body, this.status.el, this.help(), this.place);
  }

  titleBar() {
    const bar = element("div", "distill-chart-bar");
    const tools = element("span", "distill-chart-tools");
    const narrower = element("button", "distill-toggle", "−");
    const wider = element("button", "distill-toggle", "+");
    narrower.title = "narrower cells";
    narrower.onclick = () => this.grid.zoom(-1);
    wider.title = "wider cells";
    wider.onclick = () => this.grid.zoom(1);
    this.writeButton.hidden = true;
    setText(this.writeButton, `keep names in ${this.facts.file}`);
    tools.append(this.writeButton, narrower, wider);
    bar.append(element("span", "distill-chart-title", this.model.get("name")), tools);
    return bar;
  }

  /** @param {Source} source */
  sourceButton({key, label, title}) {
    const button = element("button", "distill-toggle", label);
    button.title = title;
    button.dataset.source = key;
    button.onclick = () => this.chooseSource(key);
    return button;
  }

  help() {
    const text =
      "click a cell, or the time above for all levels of a moment · arrows move" +
      " · Enter plays · space plays all";
    const more = this.facts.original ? " · x compares with the original" : "";
    return element("div", "distill-quiet distill-codes-help", text + more);
  }

  /** Lays it out and follows what happens; returns what ends that. */
  open() {
    const {el, model, store, grid} = this;
    const view = {};
    const seen = () => this.seen();
    const showNames = () => this.names.show();
    this.layOut();
    this.listen();
    markDarkness(el);
    const themed = onThemeChange(seen);
    const sizes = new ResizeObserver(seen);
    sizes.observe(grid.scroller);
    model.on("change:labels", showNames);
    store.views.add(view);
    showNames();
    this.awaitCodes();
    return () => {
      themed();
      sizes.disconnect();
      model.off("change:labels", showNames);
      this.voice.close();
      this.single.close();
      cancelAnimationFrame(this.frame);
      store.views.delete(view);
    };
  }

  listen() {
    this.playButton.onclick = () => this.toggle();
    this.writeButton.onclick = () => this.write();
    this.el.onkeydown = (event) => this.onKey(event);
    const scrolled = () => {
      this.isFollowing = false;
    };
    this.grid.scroller.addEventListener("wheel", scrolled, {passive: true});
  }

  async awaitCodes() {
    const {status, facts} = this;
    status.report(
      facts.silent ? "this sound is silent: all that is heard of it are its entries" : "",
    );
    await whenLate(this.store.get("codes", "0"), () => status.report(LATE));
    if (status.text === LATE) status.report("");
  }

  seen() {
    markDarkness(this.el);
    this.grid.fit();
    this.grid.drawLater();
    this.showTime();
  }

  // --- a cell, or a column --------------------------------------------------------------------

  /** @param {number | null} level @param {number} step */
  select(level, step) {
    const {grid, voice, el} = this;
    grid.choose(level, step);
    el.dataset.level = String(grid.chosen.level ?? "");
    el.dataset.step = String(grid.chosen.step);
    if (!voice.isGoing) voice.moveTo(grid.chosen.step * this.facts.step_s);
  }

  describe() {
    const {level, step} = this.grid.chosen;
    const where = `${(step * this.facts.step_s).toFixed(2)} s`;
    if (level === null) return `the moment at ${where}, all levels`;
    const entry = this.grid.chunks.code(level, step);
    const what = entry === undefined ? "" : entry < 0 ? ", no code" : `, entry ${entry}`;
    return `${this.model.get("labels")[level]} at ${where}${what}`;
  }

  playSelected() {
    const {level, step} = this.grid.chosen;
    if (this.voice.isGoing) this.voice.pause();
    this.single.play(level === null ? columnKey(step) : cellKey(level, step), this.describe());
  }

  // --- the whole sound ------------------------------------------------------------------------

  /** @param {string} source played, or paused where it plays already */
  playSource(source, toggles = true) {
    this.single.pause();
    if (toggles && this.voice.isPlaying && this.voice.source === source) {
      this.voice.pause();
      return;
    }
    this.status.report("");
    this.voice.play(source);
  }

  /** @param {string} source at the same place; does not start by itself */
  chooseSource(source) {
    const {voice} = this;
    const isOther = voice.source !== source;
    if (isOther && aloneLevel(voice.source) === null) this.compared = voice.source;
    if (voice.isGoing) {
      this.playSource(source, false);
      return;
    }
    voice.source = source;
    this.follow();
  }

  /** Changes between the original and what was listened to before. */
  compare() {
    if (!this.facts.original) return;
    const made = this.compared === ORIGINAL ? this.whole : this.compared;
    this.chooseSource(this.voice.source === ORIGINAL ? made : ORIGINAL);
  }

  toggle() {
    if (this.voice.isGoing) this.voice.pause();
    else this.playSource(this.voice.source);
  }

  async write() {
    const answer = await this.store.command("write", {});
    if (answer.error) {
      this.status.report(answer.error, true);
      return;
    }
    this.writeButton.hidden = true;
    this.status.report(`the names are in ${answer.file}`);
  }

  // --- following what happens -----------------------------------------------------------------

  follow() {
    const {voice} = this;
    if (aloneLevel(voice.source) === null) this.listened = voice.source;
    else if (!voice.isGoing) voice.source = this.listened; // what plays next is everything again
    this.showVoice();
    this.showTime();
    if (voice.isGoing && !this.frame) this.frame = requestAnimationFrame(() => this.step());
    if (!voice.isGoing) this.isFollowing = true;
  }

  showVoice() {
    const {voice, el} = this;
    const {source, isGoing} = voice;
    const word = voice.isPlaying ? "playing" : voice.isWaiting ? "fetching" : "ready";
    if (el.dataset.status !== "error" || isGoing) el.dataset.status = word;
    el.dataset.source = source;
    setText(this.playButton, isGoing ? "❚❚" : "▶");
    for (const button of this.sourceBar.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(button.dataset.source === source));
    }
    for (const button of this.names.el.querySelectorAll("button")) {
      setText(button, isGoing && button.dataset.source === source ? "❚❚" : "▶");
    }
    this.reportLouder();
  }

  reportLouder() {
    const {isPlaying, louder, source} = this.voice;
    const level = aloneLevel(source);
    if (!isPlaying || level === null || !louder) return;
    this.status.report(`${this.model.get("labels")[level]} alone, made ${louder} dB louder`);
  }

  step() {
    const {voice, facts} = this;
    this.frame = 0;
    this.showTime();
    if (voice.isPlaying && this.isFollowing) {
      this.grid.show(Math.min(facts.steps - 1, Math.floor(voice.seconds / facts.step_s)));
    }
    if (voice.isGoing) this.frame = requestAnimationFrame(() => this.step());
  }

  showTime() {
    const {seconds} = this.voice;
    const whole = clock(this.facts.seconds, CLOCK_TICK_S);
    this.grid.moveHead(seconds);
    setText(this.time, `${clock(seconds, CLOCK_TICK_S)} / ${whole}`);
  }

  // --- keys -----------------------------------------------------------------------------------

  /** @param {number} levels @param {number} steps */
  move(levels, steps) {
    const {level, step} = this.grid.chosen;
    const next = (level ?? -1) + levels; // above the first level: all levels of a moment
    this.select(next < 0 ? null : next, step + steps);
    this.status.report(this.describe());
  }

  /** @param {string} key @returns {(() => void) | undefined} */
  actionOf(key) {
    if (key in MOVES) return () => this.move(...MOVES[key]);
    const count = Number(key);
    if (count >= 1 && count <= this.facts.levels)
      return () => this.chooseSource(firstSource(count));
    /** @type {Record<string, () => void>} */
    const actions = {
      Enter: () => this.playSelected(),
      " ": () => this.toggle(),
      x: () => this.compare(),
    };
    return actions[key];
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const isButton = event.target instanceof HTMLButtonElement;
    if (isButton && [" ", "Enter"].includes(event.key)) {
      event.stopPropagation(); // its own keys
      return;
    }
    const action = this.actionOf(event.key);
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  }
}

/** @param {Shown<Traits>} shown */
function render({model, el}) {
  return new CodesView(model, el).open();
}

export default {initialize, render};
