// @ts-check
// The names of the levels: a button to hear each alone, and a double-click to call it otherwise.
/** @import {Model, Questions} from "../page/types" */

import {element} from "../page/text.js";
import {openField, Redraw, textField} from "../page/text_field.js";
import {aloneSource} from "../sounds/sound_keys.js";

const SHORT_LABEL = 40;

/**
 * @typedef {object} NamesOptions
 * @property {Model<{labels: string[]}>} model
 * @property {Questions} store
 * @property {string[]} colours of the levels
 * @property {HTMLElement} el the view; has `data-labels`
 * @property {(source: string) => void} play
 * @property {(text: string, isError?: boolean) => void} report
 * @property {() => void} shown
 * @property {() => void} renamed
 */

export class LevelNames {
  /** @param {NamesOptions} options */
  constructor(options) {
    this.options = options;
    this.el = element("div", "distill-grid-names");
    this.redraw = new Redraw(this.el, () => this.draw());
  }

  get labels() {
    return this.options.model.get("labels");
  }

  show() {
    this.redraw.request();
  }

  draw() {
    const {el, shown} = this.options;
    this.el.replaceChildren(...this.labels.map((text, level) => this.row(text, level)));
    el.dataset.labels = this.labels.join(" | ");
    shown();
  }

  /** @param {string} text @param {number} level */
  row(text, level) {
    const row = element("div", "distill-grid-name");
    const label = element("span", "distill-grid-label", text);
    const swatch = element("span", "distill-swatch");
    swatch.style.backgroundColor = this.options.colours[level];
    label.title = `${text}: double-click to rename`;
    label.ondblclick = () => this.edit(level, label);
    row.append(this.playButton(text, aloneSource(level)), swatch, label);
    return row;
  }

  /** @param {string} text @param {string} source */
  playButton(text, source) {
    const button = element("button", "distill-play", "▶");
    button.dataset.source = source;
    button.title = `play ${text} alone`;
    button.setAttribute("aria-label", button.title);
    button.onclick = () => this.options.play(source);
    return button;
  }

  /** @param {number} level @param {HTMLElement} label */
  edit(level, label) {
    const value = this.labels[level];
    /** @param {string | null} text */
    const done = (text) => {
      if (text === null || text.trim() === this.labels[level]) this.show();
      else this.rename(level, text.trim());
    };
    const className = "distill-rename";
    const field = textField({value, label: "new name", done, keepsOnBlur: true, className});
    field.maxLength = SHORT_LABEL;
    openField(field, (input) => label.replaceWith(input));
  }

  /** @param {number} level @param {string} label */
  async rename(level, label) {
    const {store, report, renamed} = this.options;
    const answer = await store.command("rename", {level, label});
    if (answer.error) report(answer.error, true);
    else renamed();
    this.show();
  }
}
