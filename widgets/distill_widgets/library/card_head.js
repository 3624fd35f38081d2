// @ts-check
// What a model is, and what can be done with its file.
/** @import {Model, Questions, Shown} from "../page/types" */

import {openQuestions} from "../page/questions.js";
import {statusLine} from "../page/status_line.js";
import {storeOf} from "../page/store.js";
import {element, setText} from "../page/text.js";
import {Redraw} from "../page/text_field.js";
import {markDarkness, onThemeChange} from "../page/theme.js";

/**
 * @typedef {object} CardState what model_card.py says of a file
 * @property {string} name
 * @property {string} [trouble] why it cannot be used; then there is nothing else
 * @property {string} [description]
 * @property {string[]} [tags]
 * @property {[string, string][]} [facts]
 * @property {string} [suggestion] where a copy could go
 * @property {boolean} [loaded]
 * @property {string} [said] what was done last
 */
/** @typedef {{state: CardState}} Traits */

/** @param {Shown<Traits>} shown */
function initialize({model}) {
  return openQuestions(model, {}).close;
}

/** One place on a page that shows a card's head. */
class CardView {
  /** @param {Model<Traits>} model @param {HTMLElement} el */
  constructor(model, el) {
    this.model = model;
    this.el = el;
    /** @type {Questions} */
    this.store = storeOf(model);
    this.status = statusLine(el);
    this.redraw = new Redraw(el, () => this.show());
  }

  /** Follows the model; returns what ends that. */
  open() {
    const {el, model} = this;
    const show = () => this.redraw.request();
    el.classList.add("distill", "distill-card-head");
    el.dataset.lmSuppressShortcuts = "true";
    markDarkness(el);
    const themed = onThemeChange(() => markDarkness(el));
    model.on("change:state", show);
    show();
    return () => {
      themed();
      model.off("change:state", show);
    };
  }

  show() {
    const state = this.model.get("state");
    this.el.dataset.name = state.name;
    this.el.dataset.loaded = String(Boolean(state.loaded));
    setText(this.status.el, state.said ?? "");
    const parts = [this.headLine(state)];
    if (state.description) parts.push(element("p", "", state.description));
    if (state.trouble) {
      this.el.dataset.error = state.trouble;
      parts.push(element("div", "distill-trouble", state.trouble));
    }
    this.el.replaceChildren(...parts, this.facts(state), this.status.el);
  }

  /** @param {CardState} state @returns {HTMLElement} */
  headLine(state) {
    const line = element("div", "distill-head-line");
    const buttons = element("div", "distill-buttons");
    line.append(element("span", "distill-name", state.name));
    line.append(...(state.tags ?? []).map((tag) => element("span", "distill-tag", tag)), buttons);
    if (!state.trouble) buttons.append(this.loadButton(state), this.saveButton(state));
    return line;
  }

  /** @param {CardState} state */
  facts(state) {
    const facts = element("div", "distill-card-facts");
    for (const [name, value] of state.facts ?? []) {
      facts.append(element("span", "distill-quiet", name), element("span", "", value));
    }
    return facts;
  }

  /** @param {CardState} state */
  loadButton(state) {
    const button = element("button", "", state.loaded ? "Loaded" : "Load");
    button.dataset.action = "load";
    button.disabled = Boolean(state.loaded);
    button.onclick = () => this.load(button);
    return button;
  }

  /** @param {HTMLButtonElement} button */
  async load(button) {
    button.disabled = true;
    setText(button, "Loading …");
    const answer = await this.store.command("load", {});
    if (!answer.error) return; // the state says so
    button.disabled = false;
    setText(button, "Load");
    this.status.report(answer.error, true);
  }

  /** @param {CardState} state */
  saveButton(state) {
    const button = element("button", "", "Save as …");
    button.dataset.action = "save";
    button.onclick = () => this.askWhere(button, state.suggestion ?? "");
    return button;
  }

  /**
   * The button becomes a field for a path.
   *
   * @param {HTMLButtonElement} button
   * @param {string} suggestion
   */
  askWhere(button, suggestion) {
    const form = element("span", "distill-save-as");
    const go = element("button", "", "Save");
    const input = Object.assign(element("input", "distill-field"), {value: suggestion, size: 36});
    const close = () => {
      form.replaceWith(button);
      this.redraw.fieldClosed();
    };
    input.dataset.typing = "";
    input.setAttribute("aria-label", "where to save a copy");
    input.onkeydown = (event) => {
      event.stopPropagation();
      if (event.key === "Enter") this.save(input.value, close);
      if (event.key === "Escape") close();
    };
    go.onclick = () => this.save(input.value, close);
    form.append(input, go);
    button.replaceWith(form);
    input.focus();
    input.select();
  }

  /** @param {string} path @param {() => void} close */
  async save(path, close) {
    const answer = await this.store.command("save", {path});
    if (answer.error) {
      this.status.report(answer.error, true);
      return;
    }
    close();
    this.status.report(`a copy is in ${answer.path}`);
    this.el.dataset.saved = answer.path;
  }
}

/** @param {Shown<Traits>} shown */
function render({model, el}) {
  return new CardView(model, el).open();
}

export default {initialize, render};
