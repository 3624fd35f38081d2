// @ts-check
// A text that becomes a field, until Enter or Escape, and redraws that wait for its end.

import {element} from "./text.js";

/**
 * @typedef {object} FieldOptions
 * @property {string} value
 * @property {string} label for who does not see it
 * @property {(text: string | null) => void} done called once: with what was typed, or none
 * @property {boolean} [keepsOnBlur] whether leaving the field keeps what was typed
 * @property {string} [className]
 */

/** @param {FieldOptions} options */
export function textField({value, label, done, keepsOnBlur = false, className = "distill-field"}) {
  const input = Object.assign(element("input", className), {value});
  let isDone = false;
  /** @param {boolean} isKept */
  const end = (isKept) => {
    if (isDone) return;
    isDone = true;
    delete input.dataset.typing;
    done(isKept ? input.value : null);
  };
  input.dataset.typing = "";
  input.setAttribute("aria-label", label);
  input.onkeydown = (event) => {
    event.stopPropagation(); // the notebook has its own meaning for keys
    if (event.key === "Enter") end(true);
    if (event.key === "Escape") end(false);
  };
  input.onblur = () => end(keepsOnBlur);
  return input;
}

/**
 * Puts a field on the page, ready to type over what is there.
 *
 * @param {HTMLInputElement} input
 * @param {(input: HTMLInputElement) => void} place
 */
export function openField(input, place) {
  place(input);
  input.focus();
  input.select();
}

/** Draws a place anew, but never takes away a field in which somebody types. */
export class Redraw {
  /** @param {HTMLElement} el @param {() => void} draw */
  constructor(el, draw) {
    this.el = el;
    this.draw = draw;
    this.isDue = false;
  }

  /** Draws now, or once the field is closed. */
  request() {
    this.isDue = this.el.querySelector("[data-typing]") !== null;
    if (!this.isDue) this.draw();
  }

  /** To be called when a field has been closed. */
  fieldClosed() {
    if (this.isDue) this.request();
  }
}
