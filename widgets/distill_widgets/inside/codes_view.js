// @ts-check
// Codes to look at and to listen to: names of the levels at the left, the grid, and what plays.
/** @import {CodesFacts} from "../page/messages" */
/** @import {Model, Shown} from "../page/types" */
/** @import {Sounds} from "../sounds/sound_store" */

import {numbers} from "../page/buffers.js";
import {entryColours} from "../page/colours.js";
import {LATE, whenLate} from "../page/questions.js";
import {statusLine} from "../page/status_line.js";
import {storeOf} from "../page/store.js";
import {element, setText} from "../page/text.js";
import {markDarkness, onThemeChange} from "../page/theme.js";
import {SingleSound} from "../sounds/single_sound.js";
import {aloneLevel, cellKey, columnKey} from "../sounds/sound_keys.js";
import {openSounds} from "../sounds/sound_store.js";
import {CodeGrid} from "./code_grid.js";
import {onKey} from "./code_keys.js";
import {CodePlayer} from "./code_player.js";
import {LevelNames} from "./level_names.js";

/** @typedef {{name: string, facts: CodesFacts, labels: string[], hues: DataView}} Traits */

/** @param {Shown<Traits>} shown */
function initialize({model}) {
  return openSounds(model, {}).close;
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
    this.isFollowing = true; // until somebody scrolls away
    this.writeButton = element("button", "distill-toggle");
    this.place = element("span");
    this.grid = this.makeGrid();
    this.single = new SingleSound(this.store, el, this.place, this.status.report);
    this.player = this.makePlayer();
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

  makePlayer() {
    const {store, facts, place} = this;
    return new CodePlayer({
      store,
      facts,
      place,
      starting: () => {
        this.single.pause();
        this.status.report("");
      },
      changed: () => this.showVoice(),
      moved: () => this.showPlace(),
      failed: (error) => {
        this.status.report(error.message, true);
        this.el.dataset.status = "error";
      },
    });
  }

  makeNames() {
    const {model, store, facts, el} = this;
    return new LevelNames({
      model,
      store,
      el,
      colours: facts.colours,
      report: this.status.report,
      play: (source) => this.player.play(source),
      shown: () => this.player.follow(),
      renamed: () => {
        this.writeButton.hidden = !facts.file;
      },
    });
  }

  // --- parts of the page ----------------------------------------------------------------------

  layOut() {
    const {el} = this;
    const body = element("div", "distill-grid");
    el.classList.add("distill", "distill-codes");
    el.tabIndex = 0;
    el.setAttribute("role", "application");
    el.setAttribute("aria-label", `codes of ${this.model.get("name")}: arrows move, Enter plays`);
    el.dataset.lmSuppressShortcuts = "true"; // the notebook has its own meaning for arrows and keys
    el.dataset.status = "ready";
    body.append(this.names.el, this.grid.scroller);
    el.append(this.titleBar(), this.player.el, body, this.status.el, this.help(), this.place);
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
      this.player.close();
      this.single.close();
      store.views.delete(view);
    };
  }

  listen() {
    this.writeButton.onclick = () => this.write();
    this.el.onkeydown = (event) => onKey(event, this);
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
    this.player.showTime();
  }

  // --- a cell, or a column --------------------------------------------------------------------

  /** @param {number | null} level @param {number} step */
  select(level, step) {
    const {grid, el} = this;
    const {voice} = this.player;
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
    this.player.pause();
    this.single.play(level === null ? columnKey(step) : cellKey(level, step), this.describe());
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

  // --- following the whole sound --------------------------------------------------------------

  showVoice() {
    const {el} = this;
    const {source, isGoing, isPlaying, isWaiting} = this.player.voice;
    const word = isPlaying ? "playing" : isWaiting ? "fetching" : "ready";
    if (el.dataset.status !== "error" || isGoing) el.dataset.status = word;
    el.dataset.source = source;
    for (const button of this.names.el.querySelectorAll("button")) {
      setText(button, isGoing && button.dataset.source === source ? "❚❚" : "▶");
    }
    if (!isGoing) this.isFollowing = true;
    this.reportLouder();
  }

  reportLouder() {
    const {isPlaying, louder, source} = this.player.voice;
    const level = aloneLevel(source);
    if (!isPlaying || level === null || !louder) return;
    this.status.report(`${this.model.get("labels")[level]} alone, made ${louder} dB louder`);
  }

  showPlace() {
    const {steps, step_s} = this.facts;
    const {seconds, isPlaying} = this.player.voice;
    this.grid.moveHead(seconds);
    if (!isPlaying || !this.isFollowing) return;
    this.grid.show(Math.min(steps - 1, Math.floor(seconds / step_s)));
  }

  // --- keys -----------------------------------------------------------------------------------

  /** @param {number} levels @param {number} steps */
  move(levels, steps) {
    const {level, step} = this.grid.chosen;
    const next = (level ?? -1) + levels; // above the first level: all levels of a moment
    this.select(next < 0 ? null : next, step + steps);
    this.status.report(this.describe());
  }
}

/** @param {Shown<Traits>} shown */
function render({model, el}) {
  return new CodesView(model, el).open();
}

export default {initialize, render};
