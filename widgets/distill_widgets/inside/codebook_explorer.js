// @ts-check
// An atlas: pages to turn, a level to choose, and one entry that is looked at and heard.
/** @import {ExplorerFacts} from "../page/messages" */
/** @import {Ask, Model, Plotly, Shown} from "../page/types" */
/** @import {Sounds} from "../sounds/sound_store" */
/** @import {Chosen} from "./explorer_bar" */

import {actOnKey} from "../page/keys.js";
import {fitToBox} from "../page/plotly_draw.js";
import {askForPlotly, plotlyOf, receivePlotly} from "../page/plotly_load.js";
import {LATE, whenLate} from "../page/questions.js";
import {statusLine} from "../page/status_line.js";
import {storeOf} from "../page/store.js";
import {element} from "../page/text.js";
import {markDarkness, onThemeChange} from "../page/theme.js";
import {SingleSound} from "../sounds/single_sound.js";
import {entryKey} from "../sounds/sound_keys.js";
import {openSounds} from "../sounds/sound_store.js";
import {EntryPanel} from "./entry_panel.js";
import {ExplorerBar, NEXT} from "./explorer_bar.js";
import {ExplorerPages} from "./explorer_pages.js";

/** @typedef {{name: string, facts: ExplorerFacts, plotly_version: string}} Traits */

/** @param {Shown<Traits>} shown */
function initialize({model}) {
  /** @type {Chosen} */
  const chosen = {
    tab: "map",
    level: 0,
    entry: null,
    colouring: "brightness",
    method: "pca",
    a: 0,
    b: NEXT,
  };
  const store = openSounds(model, chosen);
  const leave = receivePlotly(model);
  return () => {
    leave();
    store.close();
  };
}

/** One place on a page that shows the atlas. */
class ExplorerView {
  /** @param {Model<Traits>} model @param {HTMLElement} el */
  constructor(model, el) {
    this.model = model;
    this.el = el;
    this.facts = model.get("facts");
    this.labels = this.facts.labels;
    /** @type {Sounds & Chosen} */
    this.store = storeOf(model);
    this.status = statusLine(el);
    this.isGone = false;
    this.drawing = 0; // the latest drawing is shown, whichever comes last
    /** @type {Plotly | null} */
    this.plotly = null;
    this.bar = new ExplorerBar(el, this.facts, this.store, (change) => this.set(change));
    this.place = element("span");
    this.single = new SingleSound(this.store, el, this.place, this.status.report);
    this.panel = this.makePanel();
    this.pages = this.makePages();
  }

  makePanel() {
    return new EntryPanel({
      el: this.el,
      labels: this.labels,
      chosen: this.store,
      get: (type, key) => this.get(type, key),
      choose: (entry) => this.choose(entry),
      play: (key, text) => this.single.play(key, text),
      playEntry: (entry) => this.playEntry(entry),
      report: this.status.report,
      isGone: () => this.isGone,
    });
  }

  makePages() {
    return new ExplorerPages({
      el: this.el,
      facts: this.facts,
      chosen: this.store,
      status: this.status,
      get: (type, key) => this.get(type, key),
      choose: (entry, level) => this.choose(entry, level),
    });
  }

  layOut() {
    const {el} = this;
    const bar = element("div", "distill-chart-bar");
    const body = element("div", "distill-explorer-body");
    el.classList.add("distill", "distill-explorer");
    el.tabIndex = 0;
    el.dataset.lmSuppressShortcuts = "true";
    bar.append(element("span", "distill-chart-title", this.model.get("name")));
    body.append(this.pages.el, this.panel.el);
    el.append(bar, this.bar.el, body, this.status.el, this.place);
    el.onkeydown = (event) => this.onKey(event);
  }

  /** Lays it out and begins; returns what ends it. */
  open() {
    const {el, store} = this;
    const view = {};
    this.layOut();
    markDarkness(el);
    this.showBar();
    this.panel.show();
    this.load();
    const themed = onThemeChange(() => this.themed());
    const sizes = new ResizeObserver(() => this.resized());
    sizes.observe(this.pages.el);
    store.views.add(view);
    return () => {
      this.isGone = true;
      themed();
      sizes.disconnect();
      this.single.close();
      for (const box of this.pages.allBoxes) this.plotly?.purge(box);
      store.views.delete(view);
    };
  }

  async load() {
    const load = plotlyOf(this.model.get("plotly_version"));
    askForPlotly(this.model, load, () => this.isGone);
    this.plotly = await load.loaded;
    this.el.dataset.plotly = load.source;
    if (!this.isGone) this.draw();
  }

  themed() {
    markDarkness(this.el);
    this.panel.show();
    this.draw();
  }

  resized() {
    const boxes = this.pages.allBoxes.filter((box) => box.isConnected && box._fullLayout);
    if (!boxes.length) this.draw();
    for (const box of boxes) fitToBox(this.plotly, box);
  }

  /** @type {Ask} */
  async get(type, key) {
    const answer = await this.store.get(type, key);
    if (answer.error) throw new Error(answer.error);
    return answer;
  }

  // --- what is chosen -------------------------------------------------------------------------

  /** @param {number} entry */
  playEntry(entry) {
    const {level} = this.store;
    this.single.play(entryKey(level, entry), `${this.labels[level]}, entry ${entry}`);
  }

  /** @param {number} entry */
  choose(entry, level = this.store.level) {
    const isOther = level !== this.store.level;
    Object.assign(this.store, {entry, level});
    this.playEntry(entry);
    this.panel.show();
    if (isOther) this.showBar();
    if (this.store.tab === "map") this.draw();
  }

  /** @param {Partial<Chosen>} change */
  set(change) {
    const isLevel = "level" in change;
    Object.assign(this.store, change, isLevel && {entry: null});
    this.status.report("");
    this.showBar();
    if (isLevel) this.panel.show();
    this.draw();
  }

  showBar() {
    this.panel.el.hidden = this.store.tab === "files";
    this.bar.show();
  }

  async draw() {
    const {plotly} = this;
    this.drawing += 1;
    const mine = this.drawing;
    if (!plotly || !this.el.clientWidth) return;
    const late = () => mine === this.drawing && !this.status.text && this.status.report(LATE);
    try {
      const draws = await whenLate(this.pages.open(), late);
      if (this.status.text === LATE) this.status.report("");
      if (mine !== this.drawing || this.isGone) return;
      for (const draw of draws) await draw(plotly);
      const {tab, level, method, colouring} = this.store;
      this.el.dataset.drawn = [tab, level, tab === "map" ? method : "", colouring].join("/");
    } catch (error) {
      if (mine === this.drawing) this.status.report(String(Object(error).message ?? error), true);
    }
  }

  // --- keys -----------------------------------------------------------------------------------

  /** Through the entries, the most used first. @param {number} by */
  async walk(by) {
    const {order} = await this.pages.usage();
    const {level, entry} = this.store;
    const row = order[level];
    const at = entry === null ? -1 : row.indexOf(entry);
    const step = entry === null && by < 0 ? 0 : by;
    this.choose(row[(at + step + row.length) % row.length]);
  }

  playAgain() {
    if (this.store.entry !== null) this.playEntry(this.store.entry);
  }

  /** @param {number} by */
  turnLevel(by) {
    const {levels} = this.facts;
    this.set({level: (this.store.level + by + levels) % levels});
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (event.target !== this.el) return;
    /** @type {Record<string, () => void>} */
    const actions = {
      ArrowRight: () => this.walk(1),
      ArrowLeft: () => this.walk(-1),
      ArrowDown: () => this.turnLevel(1),
      ArrowUp: () => this.turnLevel(-1),
      Enter: () => this.playAgain(),
      " ": () => this.playAgain(),
    };
    actOnKey(event, actions[event.key]);
  }
}

/** @param {Shown<Traits>} shown */
function render({model, el}) {
  return new ExplorerView(model, el).open();
}

export default {initialize, render};
