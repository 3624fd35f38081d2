// @ts-check
// Rows of sounds, and a slider through the stages of what was made of them.

import {element, markDarkness, onThemeChange, setText, storeOf} from "../page/common.js";
import {openSounds, Row} from "./player.js";

function initialize({model}) {
  const store = openSounds(model);
  return store.close;
}

function render({model, el}) {
  const store = storeOf(model),
    owner = {loop: false, rows: [], quiet: null};
  el.classList.add("distill", "distill-player");
  markDarkness(el);
  const bar = element("div", "distill-chart-bar"),
    title = element("span", "distill-chart-title", model.get("name"));
  const tools = element("span", "distill-chart-tools"),
    list = element("div");
  const slider = Object.assign(element("input"), {type: "range", min: 0, step: 1});
  const stage = element("label"),
    said = element("span", "distill-stage");
  const loop = element("button", "distill-toggle", "loop");
  const empty = element("p", "distill-quiet");
  slider.setAttribute("aria-label", "stage");
  stage.append(said, slider);
  tools.append(stage, loop);
  bar.append(title, tools);
  el.append(bar, list, empty);
  owner.quiet = (playing) => owner.rows.forEach((row) => row !== playing && row.stop());
  loop.setAttribute("aria-pressed", false);
  loop.onclick = () => {
    owner.loop = !owner.loop;
    loop.setAttribute("aria-pressed", owner.loop);
    owner.rows.forEach((row) => row.audio.forEach((audio) => (audio.loop = owner.loop)));
  };

  let built = "",
    newest = true;
  const keysOf = (row) => {
    const stages = model.get("stages"),
      at = stages[Number(slider.value)];
    return row.keys.map((key) => (at ? key.replace("{stage}", at.key) : key));
  };
  const use = () => {
    const at = model.get("stages")[Number(slider.value)];
    setText(said, at?.label ?? "");
    el.dataset.stage = at?.key ?? "";
    owner.rows.forEach((row) => row.use(keysOf(row.row)));
  };
  const show = () => {
    const rows = model.get("rows"),
      stages = model.get("stages");
    slider.max = Math.max(0, stages.length - 1);
    if (newest) slider.value = slider.max; // follows the newest until somebody looks back
    stage.hidden = stages.length < 2;
    loop.hidden = !rows.length;
    setText(empty, rows.length ? "" : model.get("empty"));
    el.dataset.rows = rows.length;
    el.dataset.stages = stages.length;
    if (JSON.stringify(rows) !== built) {
      built = JSON.stringify(rows);
      owner.rows.forEach((row) => row.close());
      owner.rows = rows.map((row, number) => new Row(store, row, number, owner));
      list.replaceChildren(...owner.rows.map((row) => row.el));
    }
    use();
  };
  slider.oninput = () => {
    newest = slider.value === slider.max;
    use();
  };
  model.on("change:rows change:stages", show);
  const repaint = () => {
    markDarkness(el);
    owner.rows.forEach((row) => row.paint());
  };
  const themed = onThemeChange(repaint);
  const sizes = new ResizeObserver(repaint);
  sizes.observe(el);
  const view = {};
  store.views.add(view);
  show();
  return () => {
    themed();
    sizes.disconnect();
    model.off("change:rows change:stages", show);
    owner.rows.forEach((row) => row.close());
    store.views.delete(view);
  };
}

export default {initialize, render};
