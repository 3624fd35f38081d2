// @ts-check
// Levels from begin to end of a sound: typed, or drawn with mouse, pen or finger.
/** @import {Model, Shown} from "../page/types" */
/** @import {Place} from "./contour" */

import {element} from "../page/text.js";
import {markDarkness, onThemeChange, themeColour} from "../page/theme.js";
import {contextOf} from "../sounds/paint.js";
import {drawn, levelAt, lineOf, textOf} from "./contour.js";

/**
 * @typedef {object} Traits
 * @property {string} value what is typed
 * @property {string} description
 * @property {string} hint
 * @property {string} placeholder
 * @property {string} unit
 * @property {number} low
 * @property {number} high
 * @property {boolean} in_octaves
 */

/** One place on a page that shows it. */
class ContourField {
  /** @param {Model<Traits>} model @param {HTMLElement} el */
  constructor(model, el) {
    this.model = model;
    this.el = el;
    this.input = element("input");
    this.board = element("canvas");
    this.clear = element("button", "distill-toggle", "any");
    /** @type {number[]} */
    this.line = [];
    /** @type {Place | null} */
    this.pen = null;
  }

  get range() {
    const {model} = this;
    return {low: model.get("low"), high: model.get("high"), in_octaves: model.get("in_octaves")};
  }

  open() {
    const name = this.model.get("description");
    const show = () => this.show();
    const paint = () => this.paint();
    this.layOut(name);
    this.listen();
    this.model.on("change:value", show);
    const stop = onThemeChange(paint);
    const watched = new ResizeObserver(paint);
    watched.observe(this.board);
    show();
    return () => {
      watched.disconnect();
      stop();
      this.model.off("change:value", show);
    };
  }

  /** @param {string} name */
  layOut(name) {
    const hint = this.model.get("hint");
    Object.assign(this.input, {type: "text", title: hint});
    this.input.placeholder = this.model.get("placeholder");
    this.input.setAttribute("aria-label", name);
    this.clear.title = "any will do";
    this.clear.setAttribute("aria-label", `${name}: any`);
    // What is drawn is typed too: who does not see the drawing lacks nothing.
    this.board.setAttribute("aria-hidden", "true");
    this.board.title = `draw it: ${hint}`;
    const edge = element("span", "distill-contour-edge");
    const {range} = this;
    const unit = this.model.get("unit");
    edge.append(
      ...[1, 0].map((height) => element("span", "", `${levelAt(height, range)} ${unit}`)),
    );
    this.el.classList.add("distill", "distill-contour");
    this.el.append(element("span", "distill-contour-name", name), this.input, this.clear);
    this.el.append(this.board, edge);
  }

  listen() {
    const {board, input} = this;
    input.onkeydown = (event) => event.stopPropagation(); // the notebook has its own meaning for keys
    input.onchange = () => this.say(input.value);
    this.clear.onclick = () => this.say("");
    board.onpointerdown = (event) => {
      if (event.button) return;
      event.preventDefault();
      board.setPointerCapture(event.pointerId);
      this.pen = this.placeOf(event);
      this.draw(this.pen);
    };
    board.onpointermove = (event) => {
      if (this.pen) this.draw(this.placeOf(event));
    };
    board.onpointerup = () => {
      if (this.pen) this.say(this.input.value);
      this.pen = null;
    };
    board.onpointercancel = () => {
      this.pen = null;
      this.show();
    };
  }

  /** @param {PointerEvent} event @returns {Place} */
  placeOf({clientX, clientY}) {
    const {left, top, width, height} = this.board.getBoundingClientRect();
    return {x: (clientX - left) / width, y: 1 - (clientY - top) / height};
  }

  /** @param {Place} to */
  draw(to) {
    this.line = drawn(this.line, this.pen ?? to, to);
    this.pen = to;
    this.input.value = textOf(this.line, this.range);
    this.paint();
  }

  /** @param {string} text what the kernel is to know */
  say(text) {
    this.model.set("value", text);
    this.model.save_changes();
    this.show();
  }

  /** Shows what holds; not while somebody draws. */
  show() {
    if (this.pen) return;
    const value = this.model.get("value");
    if (this.input.value !== value) this.input.value = value;
    this.line = lineOf(value, this.range);
    this.paint();
  }

  paint() {
    markDarkness(this.el);
    const ratio = globalThis.devicePixelRatio || 1;
    const {board, line} = this;
    board.width = Math.max(1, Math.round(board.clientWidth * ratio));
    board.height = Math.max(1, Math.round(board.clientHeight * ratio));
    const pen = contextOf(board);
    pen.strokeStyle = themeColour(this.el, "var(--distill-accent)");
    pen.lineWidth = 2 * ratio;
    pen.beginPath();
    line.forEach((height, n) => {
      pen.lineTo((n / (line.length - 1)) * board.width, (1 - height) * board.height);
    });
    pen.stroke();
  }
}

/** @param {Shown<Traits>} shown */
function render({model, el}) {
  return new ContourField(model, el).open();
}

export default {render};
