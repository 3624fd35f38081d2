// @ts-check
// What keys do in a view of codes.
/** @import {CodePlayer} from "./code_player" */

import {actOnKey, isShortcut} from "../page/keys.js";
import {firstSource} from "../sounds/sound_keys.js";

const PAGE_STEPS = 32;
/** @type {Record<string, [number, number] | undefined>} levels and steps that a key moves by */
const MOVES = {
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  PageUp: [0, -PAGE_STEPS],
  PageDown: [0, PAGE_STEPS],
  Home: [0, Number.NEGATIVE_INFINITY],
  End: [0, Number.POSITIVE_INFINITY],
};
const BUTTON_KEYS = [" ", "Enter"];

/**
 * @typedef {object} KeyView
 * @property {{levels: number}} facts
 * @property {CodePlayer} player
 * @property {(levels: number, steps: number) => void} move
 * @property {() => void} playSelected
 */

/** @param {string} key @param {KeyView} view @returns {(() => void) | undefined} */
function actionOf(key, view) {
  const move = MOVES[key];
  if (move) return () => view.move(...move);
  const count = Number(key);
  if (count >= 1 && count <= view.facts.levels) {
    return () => view.player.choose(firstSource(count));
  }
  /** @type {Record<string, () => void>} */
  const actions = {
    Enter: () => view.playSelected(),
    " ": () => view.player.toggle(),
    x: () => view.player.compare(),
  };
  return actions[key];
}

/** @param {KeyboardEvent} event @param {KeyView} view */
export function onKey(event, view) {
  const isButton = event.target instanceof HTMLButtonElement;
  if (!isButton || !BUTTON_KEYS.includes(event.key)) {
    actOnKey(event, actionOf(event.key, view));
  } else if (!isShortcut(event)) {
    event.stopPropagation(); // a button's own keys
  }
}
