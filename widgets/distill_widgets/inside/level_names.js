// @ts-check
// The names of the levels: a button to hear each alone, and a double-click to call it otherwise.

import {element} from "../page/common.js";

const SHORT_LABEL = 40;

export function levelNames({model, store, facts, el, names, play, tell, shown, renamed}) {
  async function rename(level, label) {
    const answer = await store.act("rename", {level, label});
    if (answer.error) tell(answer.error, true);
    else renamed();
    show();
  }
  function edit(level, label) {
    const input = Object.assign(element("input", "distill-rename"), {
      value: model.get("labels")[level],
      maxLength: SHORT_LABEL,
    });
    let done = false;
    const end = (keep) => {
      if (done) return;
      done = true;
      const value = input.value.trim();
      if (keep && value !== model.get("labels")[level]) rename(level, value);
      else show();
    };
    input.onkeydown = (event) => {
      event.stopPropagation();
      if (event.key === "Enter") end(true);
      if (event.key === "Escape") end(false);
    };
    input.onblur = () => end(true);
    label.replaceWith(input);
    input.focus();
    input.select();
  }
  function show() {
    names.replaceChildren(
      ...model.get("labels").map((text, level) => {
        const row = element("div", "distill-grid-name"),
          label = element("span", "distill-grid-label", text);
        const swatch = element("span", "distill-swatch"),
          button = element("button", "distill-play", "▶");
        swatch.style.backgroundColor = facts.colours[level];
        label.title = `${text}: double-click to rename`;
        label.ondblclick = () => edit(level, label);
        button.dataset.source = `alone-${level}`;
        button.title = `play ${text} alone`;
        button.setAttribute("aria-label", button.title);
        button.onclick = () => play(button.dataset.source);
        row.append(button, swatch, label);
        return row;
      }),
    );
    el.dataset.labels = model.get("labels").join(" | ");
    shown();
  }
  return show;
}
