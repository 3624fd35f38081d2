// @ts-check
// The pages of an atlas: the map, use, pairs and files; what is fetched for each and how it lies.
/** @import {ExplorerFacts} from "../page/messages" */
/** @import {Ask, Picture, PlotBox, PlotPoint, Plotly} from "../page/types" */
/** @import {Chosen} from "./explorer_bar" */

import {numbers} from "../page/buffers.js";
import {plainLayout, plot} from "../page/plotly_draw.js";
import {element} from "../page/text.js";
import {chips} from "./choices.js";
import {NEXT} from "./explorer_bar.js";
import {levelOf, mapPicture} from "./explorer_map.js";
import {filesPicture, pairsPicture, rankPicture, rowsOf, usagePicture} from "./explorer_tables.js";

const FEW_DEAD = 48;
const MAP_PX = 460;
const FILES_PX = 520;
const RANK_PX = 280;
const USAGE_LEVEL_PX = 36;
const USAGE_AXES_PX = 70;
const MAKING_MAP = "UMAP is making a map: some seconds the first time …";

/** @typedef {(plotly: Plotly) => Promise<void>} Draw */
/**
 * @typedef {object} PagesOptions
 * @property {HTMLElement} el the view, which has the theme
 * @property {ExplorerFacts} facts
 * @property {Chosen} chosen
 * @property {{text: string, report: (text: string) => void}} status
 * @property {Ask} get
 * @property {(entry: number, level?: number) => void} choose
 */

export class ExplorerPages {
  /** @param {PagesOptions} options */
  constructor({el, facts, chosen, status, get, choose}) {
    this.view = el;
    this.facts = facts;
    this.labels = facts.labels;
    this.chosen = chosen;
    this.status = status;
    this.get = get;
    this.choose = choose;
    this.el = element("div", "distill-explorer-main");
    /** @type {string[]} of all files, once they are needed */
    this.names = [];
    /** @type {Record<string, PlotBox>} */
    this.boxes = {};
  }

  /** Where plotly has drawn, or will. */
  get allBoxes() {
    return Object.values(this.boxes);
  }

  /** Fetches and lays out the page that is chosen; returns what draws its pictures. */
  /** @returns {Promise<Draw[]>} */
  open() {
    const pages = {
      map: () => this.mapPage(),
      usage: () => this.usagePage(),
      pairs: () => this.pairsPage(),
      files: () => this.filesPage(),
    };
    return pages[this.chosen.tab]();
  }

  // --- what they have in common ---------------------------------------------------------------

  /** @param {string} name @param {number} height */
  box(name, height) {
    this.boxes[name] ??= element("div", "distill-chart-box");
    this.boxes[name].style.height = `${height}px`;
    return this.boxes[name];
  }

  /**
   * @param {Plotly} plotly
   * @param {PlotBox} box
   * @param {Picture} picture
   * @param {(point: PlotPoint) => void} [onClick]
   */
  async paint(plotly, box, {data, layout}, onClick) {
    const isFirst = !box._fullLayout;
    await plot(plotly, box, data, {...plainLayout(this.view), ...layout});
    if (isFirst && onClick) box.on?.("plotly_click", ({points}) => onClick(points[0]));
  }

  async level() {
    return levelOf(await this.get("level", String(this.chosen.level)));
  }

  /** Entries of each level, the most used first, and their uses. */
  async usage() {
    const {buffers} = await this.get("usage", "");
    const [order, counts] = buffers.map((view) =>
      rowsOf(numbers(view, Int32Array), this.facts.entries),
    );
    return {order, counts};
  }

  // --- the pages ------------------------------------------------------------------------------

  /** @returns {Promise<Draw[]>} */
  async mapPage() {
    const {level, method} = this.chosen;
    const box = this.box("map", MAP_PX);
    this.el.replaceChildren(box);
    // What is said of a sound, or of one that cannot be heard, stays: a page is drawn anew too when
    // its theme or width changes.
    if (method === "umap" && !this.status.text) this.status.report(MAKING_MAP);
    const [known, answer] = [await this.level(), await this.get("map", `${level}/${method}`)];
    if (!this.names.length) this.names = (await this.get("names", "")).names;
    if (this.status.text === MAKING_MAP) this.status.report("");
    const places = numbers(answer.buffers[0], Float32Array);
    const picture = () => mapPicture(this.view, known, places, this.chosen, this.names);
    /** @param {PlotPoint} point */
    const onClick = (point) => this.choose(point.customdata);
    return [(plotly) => this.paint(plotly, box, picture(), onClick)];
  }

  /** @returns {Promise<Draw[]>} */
  async usagePage() {
    const {view, labels, facts} = this;
    const known = await this.level();
    const {order, counts} = await this.usage();
    const usage = this.box("usage", USAGE_AXES_PX + USAGE_LEVEL_PX * facts.levels);
    const rank = this.box("rank", RANK_PX);
    this.el.replaceChildren(usage, rank, this.deadOf(known.dead));
    /** @param {PlotPoint} point */
    const onClick = (point) => this.choose(point.text, point.pointIndex[0]);
    return [
      (plotly) => this.paint(plotly, usage, usagePicture(view, labels, order, counts), onClick),
      (plotly) => this.paint(plotly, rank, rankPicture(view, labels, counts, facts.colours)),
    ];
  }

  /** @param {number[]} dead */
  deadOf(dead) {
    const list = element("div", "distill-dead");
    const label = this.labels[this.chosen.level];
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

  /** @returns {Promise<Draw[]>} */
  async pairsPage() {
    const {a, b} = this.chosen;
    const answer = await this.get("pairs", `${a}/${b}`);
    const row = this.labels[a];
    const column = b === NEXT ? `${row} a step later` : this.labels[b];
    const box = this.box("pairs", MAP_PX);
    this.el.replaceChildren(box, this.mostOf(answer.most, b === NEXT));
    /** @param {PlotPoint} point */
    const onClick = (point) => this.choose(Number(point.y), this.chosen.a);
    const picture = () => pairsPicture(this.view, answer, row, column);
    return [(plotly) => this.paint(plotly, box, picture(), onClick)];
  }

  /** @param {[number, number, number][]} most @param {boolean} isNext */
  mostOf(most, isNext) {
    const list = element("div", "distill-dead");
    const title = isNext ? "most often one after the other: " : "most often together: ";
    const pairs = most.map(([a, b, count]) => `${a} ${isNext ? "→" : "+"} ${b} (${count} ×)`);
    list.append(element("span", "distill-quiet", title), pairs.join(", ") || "nothing");
    return list;
  }

  /** @returns {Promise<Draw[]>} */
  async filesPage() {
    const answer = await this.get("files", "");
    const {files} = this.facts;
    const shown = answer.names.length;
    const box = this.box("files", FILES_PX);
    const more = files > shown ? ` · the first ${shown} of ${files} files` : "";
    const text = "1: two files use the same entries equally often; 0: no entry in common";
    this.el.replaceChildren(box, element("p", "distill-quiet", text + more));
    return [(plotly) => this.paint(plotly, box, filesPicture(this.view, answer))];
  }
}
