// @ts-check
// Two buttons beside a sound: good or bad, by ear.
/** @import {MarkFacts} from "../page/messages" */

import {element} from "../page/text.js";

/** @typedef {MarkFacts["mark"]} Mark */
/** @type {[Mark, string][]} each with its key */
const MARKS = [
  ["good", "g"],
  ["bad", "d"],
];

/** The mark that a key stands for. */
/** @param {string} key */
export function markOfKey(key) {
  return MARKS.find(([, its]) => its === key)?.[0];
}

/**
 * @param {string} name of the sound
 * @param {(mark: Mark) => void} press
 */
export function markButtons(name, press) {
  const el = element("span", "distill-ab");
  const buttons = MARKS.map(([mark, key]) => {
    const button = element("button", "distill-toggle", mark);
    button.setAttribute("aria-label", `${mark} by ear: ${name}`);
    button.title = `sounds ${mark}: key ${key}; once more takes it back`;
    button.onclick = () => press(mark);
    return button;
  });
  el.append(...buttons);
  /** @param {MarkFacts | undefined} facts */
  function show(facts) {
    const when = facts?.epoch === undefined ? "" : `marked at epoch ${facts.epoch + 1}`;
    el.title = when;
    MARKS.forEach(([its], i) => {
      buttons[i].setAttribute("aria-pressed", String(its === facts?.mark));
    });
  }
  show(undefined);
  return {el, show};
}
