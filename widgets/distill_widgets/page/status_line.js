// @ts-check
// The line below a view that says what was done, what is played, and what went wrong.

import {element, setText} from "./text.js";

/**
 * @param {HTMLElement} el the view; has `data-error` while the line says one
 */
export function statusLine(el) {
  const line = element("div", "distill-said");
  line.setAttribute("role", "status");
  return {
    el: line,
    /** @param {string} text */
    report(text, isError = false) {
      setText(line, text);
      line.classList.toggle("distill-bad-news", isError);
      if (isError) el.dataset.error = text;
      else delete el.dataset.error;
    },
    get text() {
      return line.textContent ?? "";
    },
  };
}
