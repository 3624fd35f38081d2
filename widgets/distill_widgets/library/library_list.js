// @ts-check
// The models of a folder: found, renamed, tagged, put away and brought back.

import {element, markDarkness, onThemeChange, setText, shownText, storeOf} from "../page/common.js";
import {openQuestions} from "../page/questions.js";

function initialize({model}) {
  const store = openQuestions(model);
  Object.assign(store, {text: "", tag: "", chosen: ""});
  return store.close;
}

function render({model, el}) {
  const store = storeOf(model);
  let asked = 0;
  el.classList.add("distill", "distill-library");
  el.dataset.lmSuppressShortcuts = "true";
  markDarkness(el);
  const bar = element("div", "distill-chart-bar"),
    tools = element("span", "distill-chart-tools");
  const search = Object.assign(element("input", "distill-field"), {
    type: "search",
    placeholder: "search names",
    value: store.text,
  });
  const tags = element("select", "distill-select"),
    again = element("button", "distill-toggle", "look again");
  const table = element("table", "distill-health distill-models"),
    said = element("div", "distill-said");
  const note = element("div", "distill-quiet");
  search.setAttribute("aria-label", "search");
  tags.setAttribute("aria-label", "tag");
  said.setAttribute("role", "status");
  bar.append(element("span", "distill-chart-title", model.get("name")), tools);
  tools.append(search, tags, again);
  el.append(bar, table, note, said);

  const tell_ = (text, bad = false, undo = null) => {
    setText(said, text);
    if (undo) {
      const button = element("button", "distill-toggle", "undo");
      button.dataset.action = "undo";
      button.onclick = undo;
      said.append(" ", button);
    }
    said.classList.toggle("distill-bad-news", bad);
    if (bad) el.dataset.error = text;
    else delete el.dataset.error;
  };
  async function act(kind, wish, done = "") {
    const answer = await store.act(kind, wish);
    if (answer.error) tell_(answer.error, true);
    else
      tell_(
        done,
        false,
        kind === "delete" ? () => act("undo", {path: answer.trashed}, "back in its place") : null,
      );
    await show();
  }
  function typed(holder, value, label, enter) {
    // a text becomes a field, until Enter or Escape
    const input = Object.assign(element("input", "distill-field"), {value});
    input.setAttribute("aria-label", label);
    let done = false;
    const end = (keep) => {
      if (done) return;
      done = true;
      if (keep && input.value.trim() !== value) enter(input.value);
      else show();
    };
    input.onkeydown = (event) => {
      event.stopPropagation();
      if (event.key === "Enter") end(true);
      if (event.key === "Escape") end(false);
    };
    input.onblur = () => end(false);
    holder.replaceChildren(input);
    input.focus();
    input.select();
  }
  const small = (text, label, action, act_) => {
    const button = element("button", "distill-toggle", text);
    Object.assign(button, {title: label, onclick: act_});
    button.setAttribute("aria-label", label);
    button.dataset.action = action;
    return button;
  };
  function rowOf(one) {
    const row = element("tr"),
      cells = Array.from({length: 6}, () => element("td"));
    row.dataset.path = one.path;
    row.setAttribute("aria-selected", one.path === store.chosen);
    const name = element("span", "distill-model-name", one.name),
      path = {path: one.path};
    const open = small("open", `open ${one.name}`, "open", () => {
      store.chosen = one.path;
      act("open", path);
    });
    const rename = small("rename", `rename ${one.name}`, "rename", () =>
      typed(cells[0], one.name, "new name", (to) =>
        act("rename", {...path, to}, `now called ${to.trim()}`),
      ),
    );
    name.ondblclick = rename.onclick;
    name.title = "double-click to rename";
    cells[0].append(name, element("span", "distill-model-place", one.place));
    one.tags.forEach((tag) => {
      const chip = small(`${tag} ×`, `take the tag ${tag} away`, "untag", () =>
        act("untag", {...path, tag}),
      );
      cells[1].append(chip, " ");
    });
    const add = element("span");
    add.append(
      small("+", `tag ${one.name}`, "tag", () =>
        typed(add, "", "new tag", (tag) => act("tag", {...path, tag})),
      ),
    );
    cells[1].append(add);
    setText(cells[2], one.codes);
    const word = element("span", "distill-word", one.health);
    word.dataset.word = one.word;
    cells[3].append(word);
    setText(cells[4], one.made);
    const remove = small("delete", `put ${one.name} into the trash`, "delete", () =>
      act("delete", path, `${one.name} is in the trash`),
    );
    cells[5].append(open, " ", rename, " ", remove);
    row.append(...cells);
    return row;
  }
  function refusedRow(one) {
    const row = element("tr"),
      name = element("td", "", one.place),
      why = element("td", "distill-bad-news", one.reason);
    const last = element("td");
    why.colSpan = 4;
    row.dataset.path = one.path;
    last.append(
      small("delete", `put ${one.place} into the trash`, "delete", () =>
        act("delete", {path: one.path}, `${one.place} is in the trash`),
      ),
    );
    row.append(name, why, last);
    return row;
  }
  async function show() {
    const mine = (asked += 1);
    const answer = await store.act("find", {text: store.text, tag: store.tag});
    if (mine !== asked) return;
    if (answer.error) return tell_(answer.error, true);
    const head = element("tr");
    ["model", "tags", "codes", "used", "made", ""].forEach((text) =>
      head.append(element("th", "", text)),
    );
    table.replaceChildren(head, ...answer.models.map(rowOf), ...answer.refused.map(refusedRow));
    tags.replaceChildren(
      new Option("all tags", ""),
      ...answer.tags.map((tag) => new Option(shownText(tag), tag, false, tag === store.tag)),
    );
    const hidden = answer.total - answer.models.length;
    setText(
      note,
      !answer.total && !answer.refused.length
        ? "no models here: a finished training leaves one"
        : hidden && (store.text || store.tag)
          ? `${answer.models.length} of ${answer.total} models`
          : hidden
            ? `the newest ${answer.models.length} of ${answer.total} models: search for the others`
            : "",
    );
    el.dataset.models = answer.models.length;
    el.dataset.refused = answer.refused.length;
    el.dataset.names = answer.models.map((one) => one.name).join(" | ");
  }
  search.oninput = () => {
    store.text = search.value;
    show();
  };
  search.onkeydown = (event) => event.stopPropagation();
  tags.onchange = () => {
    store.tag = tags.value;
    show();
  };
  again.onclick = () => act("refresh", {});
  const themed = onThemeChange(() => markDarkness(el));
  model.on("change:revision", show);
  show();
  return () => {
    themed();
    model.off("change:revision", show);
  };
}

export default {initialize, render};
