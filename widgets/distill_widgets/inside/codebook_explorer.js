// @ts-check
// An atlas: pages to turn, a level to choose, and one entry that is looked at and heard.
/** @import {ExplorerFacts} from "../page/messages" */
/** @import {Answer, Model, PlotBox, PlotPoint, Plotly, Shown} from "../page/types" */
/** @import {Sounds} from "../sounds/sound_store" */
/** @import {Chosen} from "./explorer_bar" */
/** @import {Picture} from "./explorer_pictures" */

import {numbers} from "../page/buffers.js";
import {fitToBox, plainLayout, plot} from "../page/plotly_draw.js";
import {askForPlotly, plotlyOf, receivePlotly} from "../page/plotly_load.js";
import {LATE, whenLate} from "../page/questions.js";
import {statusLine} from "../page/status_line.js";
import {storeOf} from "../page/store.js";
import {element} from "../page/text.js";
import {markDarkness, onThemeChange} from "../page/theme.js";
import {SingleSound} from "../sounds/single_sound.js";
import {entryKey} from "../sounds/sound_keys.js";
import {openSounds} from "../sounds/sound_store.js";
import {chips} from "./choices.js";
import {EntryPanel} from "./entry_panel.js";
import {ExplorerBar, NEXT} from "./explorer_bar.js";
import {
  filesPicture,
  levelOf,
  mapPicture,
  pairsPicture,
  rankPicture,
  rowsOf,
  usagePicture,
} from "./explorer_pictures.js";

const FEW_DEAD = 48;
const MAP_PX = 460;
const FILES_PX = 520;
const RANK_PX = 280;
const MAKING_MAP = "UMAP is making a map: some seconds the first time …";

/** @typedef {{name: string, facts: ExplorerFacts, plotly_version: string}} Traits */
/** @typedef {() => Promise<void>} Draw */

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
    /** @type {string[]} of all files, once they are needed */
    this.names = [];
    /** @type {Record<string, PlotBox>} */
    this.boxes = {};
    this.bar = new ExplorerBar(el, this.facts, this.store, (change) => this.set(change));
    this.main = element("div", "distill-explorer-main");
    this.place = element("span");
    this.single = new SingleSound(this.store, el, this.place, this.status.report);
    this.panel = this.makePanel();
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

  layOut() {
    const {el} = this;
    const bar = element("div", "distill-chart-bar");
    const body = element("div", "distill-explorer-body");
    el.classList.add("distill", "distill-explorer");
    el.tabIndex = 0;
    el.dataset.lmSuppressShortcuts = "true";
    bar.append(element("span", "distill-chart-title", this.model.get("name")));
    body.append(this.main, this.panel.el);
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
    sizes.observe(this.main);
    store.views.add(view);
    return () => {
      this.isGone = true;
      themed();
      sizes.disconnect();
      this.single.close();
      for (const box of Object.values(this.boxes)) this.plotly?.purge(box);
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
    const boxes = Object.values(this.boxes).filter((box) => box.isConnected && box._fullLayout);
    if (!boxes.length) this.draw();
    for (const box of boxes) fitToBox(this.plotly, box);
  }

  /**
   * @param {string} type
   * @param {string} key
   * @returns {Promise<Answer>}
   */
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

  // --- pages ----------------------------------------------------------------------------------

  async draw() {
    this.drawing += 1;
    const mine = this.drawing;
    if (!this.plotly || !this.el.clientWidth) return;
    const late = () => mine === this.drawing && !this.status.text && this.status.report(LATE);
    try {
      const draws = await whenLate(this.page(), late);
      if (this.status.text === LATE) this.status.report("");
      if (mine !== this.drawing || this.isGone) return;
      for (const draw of draws) await draw();
      const {tab, level, method, colouring} = this.store;
      this.el.dataset.drawn = [tab, level, tab === "map" ? method : "", colouring].join("/");
    } catch (error) {
      if (mine === this.drawing) this.status.report(String(Object(error).message ?? error), true);
    }
  }

  /** Fetches and lays out a page; returns what draws its pictures. @returns {Promise<Draw[]>} */
  page() {
    const pages = {
      map: () => this.mapPage(),
      usage: () => this.usagePage(),
      pairs: () => this.pairsPage(),
      files: () => this.filesPage(),
    };
    return pages[this.store.tab]();
  }

  /** @param {string} name @param {number} height */
  box(name, height) {
    this.boxes[name] ??= element("div", "distill-chart-box");
    this.boxes[name].style.height = `${height}px`;
    return this.boxes[name];
  }

  /**
   * @param {PlotBox} box
   * @param {Picture} picture
   * @param {(point: PlotPoint) => void} [onClick]
   */
  async paint(box, {data, layout}, onClick) {
    const isFirst = !box._fullLayout;
    if (!this.plotly) return;
    await plot(this.plotly, box, data, {...plainLayout(this.el), ...layout});
    if (isFirst && onClick) box.on?.("plotly_click", ({points}) => onClick(points[0]));
  }

  async level() {
    return levelOf(await this.get("level", String(this.store.level)));
  }

  async usage() {
    const {buffers} = await this.get("usage", "");
    const [order, counts] = buffers.map((view) =>
      rowsOf(numbers(view, Int32Array), this.facts.entries),
    );
    return {order, counts};
  }

  async mapPage() {
    const {level, method} = this.store;
    const box = this.box("map", MAP_PX);
    this.main.replaceChildren(box);
    this.status.report(method === "umap" ? MAKING_MAP : "");
    const [known, answer] = [await this.level(), await this.get("map", `${level}/${method}`)];
    if (!this.names.length) this.names = (await this.get("names", "")).names;
    if (this.status.text === MAKING_MAP) this.status.report("");
    const places = numbers(answer.buffers[0], Float32Array);
    const picture = () => mapPicture(this.el, known, places, this.store, this.names);
    return [() => this.paint(box, picture(), (point) => this.choose(point.customdata))];
  }

  async usagePage() {
    const {el, labels} = this;
    const known = await this.level();
    const {order, counts} = await this.usage();
    const usage = this.box("usage", 70 + 36 * this.facts.levels);
    const rank = this.box("rank", RANK_PX);
    this.main.replaceChildren(usage, rank, this.deadOf(known.dead));
    /** @param {PlotPoint} point */
    const onClick = (point) => this.choose(point.text, point.pointIndex[0]);
    return [
      () => this.paint(usage, usagePicture(el, labels, order, counts), onClick),
      () => this.paint(rank, rankPicture(el, labels, counts, this.facts.colours)),
    ];
  }

  /** @param {number[]} dead */
  deadOf(dead) {
    const list = element("div", "distill-dead");
    const label = this.labels[this.store.level];
    const more = dead.length - FEW_DEAD;
    if (!dead.length) {
      list.append(element("p", "distill-quiet", `${label}: every entry is used`));
      return list;
    }
    /** @type {[number][]} */
    const few = dead.slice(0, FEW_DEAD).map((entry) => [entry]);
    const title = `${label}: ${dead.length} of ${this.facts.entries} never used`;
    list.append(chips(title, few, (entry) => this.choose(entry)));
    if (more > 0) list.append(element("span", "distill-quiet", ` and ${more} more`));
    return list;
  }

  async pairsPage() {
    const {a, b} = this.store;
    const answer = await this.get("pairs", `${a}/${b}`);
    const row = this.labels[a];
    const column = b === NEXT ? `${row} a step later` : this.labels[b];
    const box = this.box("pairs", MAP_PX);
    this.main.replaceChildren(box, this.mostOf(answer.most, b === NEXT));
    /** @param {PlotPoint} point */
    const onClick = (point) => this.choose(Number(point.y), this.store.a);
    return [() => this.paint(box, pairsPicture(this.el, answer, row, column), onClick)];
  }

  /** @param {[number, number, number][]} most @param {boolean} isNext */
  mostOf(most, isNext) {
    const list = element("div", "distill-dead");
    const title = isNext ? "most often one after the other: " : "most often together: ";
    const pairs = most.map(([a, b, count]) => `${a} ${isNext ? "→" : "+"} ${b} (${count} ×)`);
    list.append(element("span", "distill-quiet", title), pairs.join(", ") || "nothing");
    return list;
  }

  async filesPage() {
    const answer = /** @type {Answer & {names: string[]}} */ (await this.get("files", ""));
    const {files} = this.facts;
    const shown = answer.names.length;
    const box = this.box("files", FILES_PX);
    const more = files > shown ? ` · the first ${shown} of ${files} files` : "";
    const text = "1: two files use the same entries equally often; 0: no entry in common";
    this.main.replaceChildren(box, element("p", "distill-quiet", text + more));
    return [() => this.paint(box, filesPicture(this.el, answer))];
  }

  // --- keys -----------------------------------------------------------------------------------

  /** Through the entries, the most used first. @param {number} by */
  async walk(by) {
    const {order} = await this.usage();
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
    if (event.target !== this.el || event.ctrlKey || event.metaKey || event.altKey) return;
    /** @type {Record<string, () => void>} */
    const actions = {
      ArrowRight: () => this.walk(1),
      ArrowLeft: () => this.walk(-1),
      ArrowDown: () => this.turnLevel(1),
      ArrowUp: () => this.turnLevel(-1),
      Enter: () => this.playAgain(),
      " ": () => this.playAgain(),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  }
}

/** @param {Shown<Traits>} shown */
function render({model, el}) {
  return new ExplorerView(model, el).open();
}

export default {initialize, render};
