// @ts-check
// What a model is, and what can be done with its file.

import {element, markDarkness, onThemeChange, setText, storeOf} from "../page/common.js";
import {openQuestions} from "../page/questions.js";

function initialize({model}) {
  const store = openQuestions(model);
  return store.close;
}

function render({model, el}) {
  const store = storeOf(model);
  el.classList.add("distill", "distill-card-head");
  markDarkness(el);
  const show = () => {
    const state = model.get("state");
    el.dataset.name = state.name;
    el.dataset.loaded = Boolean(state.loaded);
    const line = element("div", "distill-head-line"),
      buttons = element("div", "distill-buttons");
    line.append(element("span", "distill-name", state.name));
    (state.tags ?? []).forEach((tag) => line.append(element("span", "distill-tag", tag)));
    line.append(buttons);
    const facts = element("div", "distill-card-facts");
    for (const [name, value] of state.facts ?? []) {
      facts.append(element("span", "distill-quiet", name), element("span", "", value));
    }
    const said = element("div", "distill-said", state.said ?? "");
    said.setAttribute("role", "status");
    const tell_ = (text, bad) => {
      setText(said, text);
      said.classList.toggle("distill-bad-news", Boolean(bad));
      if (bad) el.dataset.error = text;
      else delete el.dataset.error;
    };
    const parts = [line];
    if (state.description) parts.push(element("p", "", state.description));
    if (state.trouble) {
      el.dataset.error = state.trouble;
      parts.push(element("div", "distill-trouble", state.trouble));
    }
    parts.push(facts, said);
    if (!state.trouble) {
      const load = element("button", "", state.loaded ? "Loaded" : "Load");
      load.dataset.action = "load";
      load.disabled = Boolean(state.loaded);
      load.onclick = async () => {
        load.disabled = true;
        setText(load, "Loading …");
        const answer = await store.act("load", {});
        if (answer.error) {
          load.disabled = false;
          setText(load, "Load");
          tell_(answer.error, true);
        }
      };
      const save = element("button", "", "Save as …");
      save.dataset.action = "save";
      save.onclick = () => {
        const form = element("span", "distill-save-as"),
          go = element("button", "", "Save");
        const input = Object.assign(element("input", "distill-field"), {
          value: state.suggestion,
          size: 36,
        });
        input.setAttribute("aria-label", "where to save a copy");
        const done = async () => {
          const answer = await store.act("save", {path: input.value});
          if (answer.error) return tell_(answer.error, true);
          form.replaceWith(save);
          tell_(`a copy is in ${answer.path}`);
          el.dataset.saved = answer.path;
        };
        input.onkeydown = (event) => {
          event.stopPropagation();
          if (event.key === "Enter") done();
          if (event.key === "Escape") form.replaceWith(save);
        };
        go.onclick = done;
        form.append(input, go);
        save.replaceWith(form);
        input.focus();
        input.select();
      };
      buttons.append(load, save);
    }
    el.replaceChildren(...parts);
  };
  el.dataset.lmSuppressShortcuts = "true";
  const themed = onThemeChange(() => markDarkness(el));
  model.on("change:state", show);
  show();
  return () => {
    themed();
    model.off("change:state", show);
  };
}

export default {initialize, render};
