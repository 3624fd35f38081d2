// @ts-check
// From what a whole sound can be played: the original, and the first levels of its codes.

import {element} from "../page/text.js";
import {firstSource, ORIGINAL} from "../sounds/sound_keys.js";

/** @typedef {{key: string, label: string, title: string}} Source */

/** @param {number} count @param {number} levels */
function titleOfFirst(count, levels) {
  if (count === levels) return "all levels: the reconstruction";
  return count > 1 ? `the first ${count} levels` : "the first level";
}

/**
 * The last one is the whole reconstruction.
 *
 * @param {{levels: number, original: boolean}} facts
 * @returns {Source[]}
 */
export function sourcesOf({levels, original}) {
  const counts = Array.from({length: levels}, (_, n) => n + 1);
  const first = counts.map((count) => ({
    key: firstSource(count),
    label: counts.slice(0, count).join("+"),
    title: titleOfFirst(count, levels),
  }));
  const recorded = {key: ORIGINAL, label: ORIGINAL, title: "what was recorded"};
  return original ? [recorded, ...first] : first;
}

/** A button for each source. */
export class SourceBar {
  /** @param {{levels: number, original: boolean}} facts @param {(source: string) => void} choose */
  constructor(facts, choose) {
    this.choose = choose;
    this.el = element("span", "distill-ab");
    this.el.append(...sourcesOf(facts).map((source) => this.button(source)));
  }

  /** @param {Source} source */
  button({key, label, title}) {
    const button = element("button", "distill-toggle", label);
    button.title = title;
    button.dataset.source = key;
    button.onclick = () => this.choose(key);
    return button;
  }

  /** @param {string} source the one that is chosen */
  show(source) {
    for (const button of this.el.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(button.dataset.source === source));
    }
  }
}
