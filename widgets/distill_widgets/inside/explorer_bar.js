// @ts-check
// What somebody turns an atlas to: the page, the level, the colours, the kind of map, the pairs.
/** @import {ExplorerFacts} from "../page/messages" */
/** @import {Colouring} from "./explorer_map" */

import {element} from "../page/text.js";
import {choice, menu} from "./choices.js";
import {COLOURINGS} from "./explorer_map.js";

/** Instead of a second level: what follows in the same one. */
export const NEXT = "next";

/** @typedef {"map" | "usage" | "pairs" | "files"} Tab */
/** @type {[Tab, string][]} */
const TABS = [
  ["map", "map"],
  ["usage", "use"],
  ["pairs", "together"],
  ["files", "files"],
];

/**
 * @typedef {object} Chosen what somebody has turned to
 * @property {Tab} tab
 * @property {number} level
 * @property {number | null} entry
 * @property {Colouring} colouring
 * @property {string} method of the map
 * @property {number} a level of the rows of pairs
 * @property {number | "next"} b level of their columns
 */

export class ExplorerBar {
  /**
   * @param {HTMLElement} view has `data-tab`
   * @param {ExplorerFacts} facts
   * @param {Chosen} chosen
   * @param {(change: Partial<Chosen>) => void} set
   */
  constructor(view, facts, chosen, set) {
    this.view = view;
    this.facts = facts;
    this.chosen = chosen;
    this.set = set;
    this.el = element("div", "distill-codes-line");
    this.tools = element("span", "distill-chart-tools");
  }

  show() {
    const {tab} = this.chosen;
    const tabs = choice(TABS, tab, (key) => this.set({tab: key}), "page");
    this.view.dataset.tab = tab;
    this.el.replaceChildren(tabs, this.tools);
    this.tools.replaceChildren(...this.toolsOf(tab));
  }

  /** @param {Tab} tab */
  toolsOf(tab) {
    if (tab === "map") return [this.colourMenu(), ...this.methodChoice(), this.levelChoice()];
    if (tab === "usage") return [this.levelChoice()];
    return tab === "pairs" ? this.pairMenus() : [];
  }

  /** @returns {[number, string][]} */
  levelOptions() {
    return this.facts.labels.map((label, number) => [number, label]);
  }

  levelChoice() {
    const {level} = this.chosen;
    return choice(this.levelOptions(), level, (key) => this.set({level: key}), "level");
  }

  colourMenu() {
    const options = Object.entries(COLOURINGS).map(([key, {label}]) => [key, label]);
    const set = (/** @type {string} */ key) =>
      this.set({colouring: /** @type {Colouring} */ (key)});
    return menu(/** @type {[string, string][]} */ (options), this.chosen.colouring, set, "colour");
  }

  methodChoice() {
    const {methods} = this.facts;
    if (methods.length < 2) return [];
    /** @type {[string, string][]} */
    const options = methods.map((method) => [method, method.toUpperCase()]);
    const set = (/** @type {string} */ method) => this.set({method});
    return [choice(options, this.chosen.method, set, "kind of map")];
  }

  pairMenus() {
    const {a, b} = this.chosen;
    const levels = this.levelOptions();
    /** @type {[string | number, string][]} */
    const others = [[NEXT, "its next step"], ...levels];
    return [
      menu(levels, a, (key) => this.set({a: Number(key)}), "entries of"),
      menu(others, b, (key) => this.set({b: key === NEXT ? NEXT : Number(key)}), "with"),
    ];
  }
}
