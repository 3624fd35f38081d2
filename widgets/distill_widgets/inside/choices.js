// @ts-check
// Small choices above a view.

import {element, shownText} from "../page/text.js";

/**
 * A choice of a few: a row of toggles.
 *
 * @template {string | number} Key
 * @param {[Key, string][]} options
 * @param {Key} chosen
 * @param {(key: Key) => void} act
 * @param {string} label for who does not see it
 */
export function choice(options, chosen, act, label) {
  const row = element("span", "distill-ab");
  row.setAttribute("role", "group");
  row.setAttribute("aria-label", label);
  for (const [key, text] of options) {
    const button = element("button", "distill-toggle", text);
    button.dataset.choice = String(key);
    button.setAttribute("aria-pressed", String(key === chosen));
    button.onclick = () => act(key);
    row.append(button);
  }
  return row;
}

/**
 * A choice of many: a menu.
 *
 * @param {[string | number, string][]} options
 * @param {string | number} chosen
 * @param {(key: string) => void} act
 * @param {string} label
 */
export function menu(options, chosen, act, label) {
  const select = element("select", "distill-select");
  const named = element("label", "", label);
  for (const [key, text] of options) {
    const isChosen = String(key) === String(chosen);
    select.append(new Option(shownText(text), String(key), false, isChosen));
  }
  select.onchange = () => act(select.value);
  named.append(select);
  return named;
}

/**
 * Entries to click on.
 *
 * @param {string} title
 * @param {[entry: number, text?: string][]} entries
 * @param {(entry: number) => void} act
 */
export function chips(title, entries, act) {
  const row = element("div", "distill-chips");
  row.append(element("span", "distill-quiet", title));
  for (const [entry, text] of entries) {
    const button = element("button", "distill-toggle", text ?? String(entry));
    button.onclick = () => act(entry);
    row.append(button);
  }
  return row;
}
