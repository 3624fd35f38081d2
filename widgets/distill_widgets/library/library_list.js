// @ts-check
// The models of a folder: found, renamed, tagged, put away and brought back.
/** @import {FoundModel, Found, Outcomes, RefusedFile} from "../page/messages" */
/** @import {Model, Questions, Shown} from "../page/types" */

import {openQuestions} from "../page/questions.js";
import {statusLine} from "../page/status_line.js";
import {storeOf} from "../page/store.js";
import {element, setText, shownText} from "../page/text.js";
import {openField, Redraw, textField} from "../page/text_field.js";
import {markDarkness, onThemeChange} from "../page/theme.js";

const COLUMNS = ["model", "tags", "codes", "used", "made", ""];

/** @typedef {{name: string, revision: number}} Traits */
/** @typedef {Questions & {text: string, tag: string, chosen: string}} ListStore */

/** @param {Shown<Traits>} shown */
function initialize({model}) {
  return openQuestions(model, {text: "", tag: "", chosen: ""}).close;
}

/**
 * @param {string} text
 * @param {string} label for who does not see it
 * @param {string} action
 * @param {() => void} act
 */
function smallButton(text, label, action, act) {
  const button = element("button", "distill-toggle", text);
  button.title = label;
  button.onclick = act;
  button.setAttribute("aria-label", label);
  button.dataset.action = action;
  return button;
}

/**
 * @param {Found} found
 * @param {boolean} isFiltered
 */
function noteOn(found, isFiltered) {
  if (!found.total && !found.refused.length)
    return "no models here: a finished training leaves one";
  const shown = found.models.length;
  if (shown === found.total) return "";
  if (isFiltered) return `${shown} of ${found.total} models`;
  return `the newest ${shown} of ${found.total} models: search for the others`;
}

/** One place on a page that shows the list. */
class ListView {
  /** @param {Model<Traits>} model @param {HTMLElement} el */
  constructor(model, el) {
    this.model = model;
    this.el = el;
    /** @type {ListStore} */
    this.store = storeOf(model);
    this.asked = 0; // the latest answer is shown, whichever comes last
    /** @type {Found | null} */
    this.found = null;
    this.status = statusLine(el);
    this.search = element("input", "distill-field");
    this.tags = element("select", "distill-select");
    this.table = element("table", "distill-health distill-models");
    this.redraw = new Redraw(this.table, () => this.drawFound());
    this.note = element("div", "distill-quiet");
  }

  layOut() {
    const bar = element("div", "distill-chart-bar");
    const tools = element("span", "distill-chart-tools");
    const again = element("button", "distill-toggle", "look again");
    const {search, tags, store} = this;
    this.el.classList.add("distill", "distill-library");
    this.el.dataset.lmSuppressShortcuts = "true";
    Object.assign(search, {type: "search", placeholder: "search names", value: store.text});
    search.setAttribute("aria-label", "search");
    tags.setAttribute("aria-label", "tag");
    tools.append(search, tags, again);
    bar.append(element("span", "distill-chart-title", this.model.get("name")), tools);
    this.el.append(bar, this.table, this.note, this.status.el);
    search.oninput = () => this.filter({text: search.value});
    search.onkeydown = (event) => event.stopPropagation();
    tags.onchange = () => this.filter({tag: tags.value});
    again.onclick = () => this.act("refresh", {});
  }

  /** Lays it out and follows the model; returns what ends that. */
  open() {
    const {model, el} = this;
    const show = () => this.show();
    this.layOut();
    markDarkness(el);
    const themed = onThemeChange(() => markDarkness(el));
    model.on("change:revision", show);
    show();
    return () => {
      themed();
      model.off("change:revision", show);
    };
  }

  /** @param {{text?: string, tag?: string}} change */
  filter(change) {
    Object.assign(this.store, change);
    this.show();
  }

  // --- what is done ---------------------------------------------------------------------------

  /**
   * @param {keyof Outcomes} kind
   * @param {object} command
   * @param {string} done what is said once it is done
   */
  async act(kind, command, done = "") {
    const answer = await this.store.command(kind, command);
    if (answer.error) this.status.report(answer.error, true);
    else this.status.report(done);
    if (!answer.error && "trashed" in answer) this.offerUndo(answer.trashed);
    await this.show();
  }

  /** @param {string} path in the trash */
  offerUndo(path) {
    const button = element("button", "distill-toggle", "undo");
    button.dataset.action = "undo";
    button.onclick = () => this.act("undo", {path}, "back in its place");
    this.status.el.append(" ", button);
  }

  /**
   * What is in a holder becomes a field; without a new text it comes back.
   *
   * @param {HTMLElement} holder
   * @param {string} value
   * @param {string} label
   * @param {(text: string) => void} enter
   */
  edit(holder, value, label, enter) {
    const before = [...holder.childNodes];
    /** @param {string | null} text */
    const done = (text) => {
      if (text !== null && text.trim() !== value) enter(text);
      else {
        holder.replaceChildren(...before);
        this.redraw.fieldClosed();
      }
    };
    openField(textField({value, label, done}), (field) => holder.replaceChildren(field));
  }

  // --- what is shown --------------------------------------------------------------------------

  async show() {
    this.asked += 1;
    const mine = this.asked;
    const {text, tag} = this.store;
    const answer = await this.store.command("find", {text, tag});
    if (mine !== this.asked) return;
    if (answer.error) this.status.report(answer.error, true);
    else {
      this.found = answer;
      this.redraw.request();
    }
  }

  drawFound() {
    const {found} = this;
    if (!found) return;
    const {text, tag} = this.store;
    const head = element("tr");
    head.append(...COLUMNS.map((name) => element("th", "", name)));
    const rows = found.models.map((one) => this.row(one));
    this.table.replaceChildren(head, ...rows, ...found.refused.map((one) => this.refusedRow(one)));
    const options = found.tags.map((one) => new Option(shownText(one), one, false, one === tag));
    this.tags.replaceChildren(new Option("all tags", ""), ...options);
    setText(this.note, noteOn(found, Boolean(text || tag)));
    const {dataset} = this.el;
    dataset.models = String(found.models.length);
    dataset.refused = String(found.refused.length);
    dataset.names = found.models.map((one) => one.name).join(" | ");
  }

  /** @param {FoundModel} one */
  row(one) {
    const row = element("tr");
    row.dataset.path = one.path;
    row.setAttribute("aria-selected", String(one.path === this.store.chosen));
    const name = element("td");
    const rename = () => this.rename(name, one);
    name.append(this.nameOf(one, rename), element("span", "distill-model-place", one.place));
    row.append(
      name,
      this.tagCell(one),
      element("td", "", one.codes),
      this.healthCell(one),
      element("td", "", one.made),
      this.buttonCell(one, rename),
    );
    return row;
  }

  /** @param {FoundModel} one @param {() => void} rename */
  nameOf(one, rename) {
    const name = element("span", "distill-model-name", one.name);
    name.ondblclick = rename;
    name.title = "double-click to rename";
    return name;
  }

  /** @param {HTMLElement} cell @param {FoundModel} one */
  rename(cell, {name, path}) {
    this.edit(cell, name, "new name", (to) =>
      this.act("rename", {path, to}, `now called ${to.trim()}`),
    );
  }

  /** @param {FoundModel} one */
  tagCell({name, path, tags}) {
    const cell = element("td");
    const add = element("span");
    for (const tag of tags) {
      const label = `take the tag ${tag} away`;
      cell.append(smallButton(`${tag} ×`, label, "untag", () => this.act("untag", {path, tag})));
      cell.append(" ");
    }
    const edit = () => this.edit(add, "", "new tag", (tag) => this.act("tag", {path, tag}));
    add.append(smallButton("+", `tag ${name}`, "tag", edit));
    cell.append(add);
    return cell;
  }

  /** @param {FoundModel} one */
  healthCell({health, word, entropies}) {
    const cell = element("td");
    const shown = element("span", "distill-word", health);
    shown.dataset.word = word;
    cell.append(shown);
    if (entropies) {
      const carried = element("span", "distill-model-place", entropies);
      carried.title = "entropy / bits of each level, and over how many codes";
      cell.append(carried);
    }
    return cell;
  }

  /** @param {FoundModel} one @param {() => void} rename */
  buttonCell({name, path}, rename) {
    const cell = element("td");
    const open = smallButton("open", `open ${name}`, "open", () => this.openCard(path));
    const change = smallButton("rename", `rename ${name}`, "rename", rename);
    cell.append(open, " ", change, " ", this.deleteButton(name, path));
    return cell;
  }

  /** @param {string} path */
  openCard(path) {
    this.store.chosen = path;
    this.act("open", {path});
  }

  /** @param {string} name @param {string} path */
  deleteButton(name, path) {
    return smallButton("delete", `put ${name} into the trash`, "delete", () =>
      this.act("delete", {path}, `${name} is in the trash`),
    );
  }

  /** @param {RefusedFile} one */
  refusedRow({place, path, reason}) {
    const row = element("tr");
    const why = element("td", "distill-bad-news", reason);
    const last = element("td");
    why.colSpan = 4;
    row.dataset.path = path;
    last.append(this.deleteButton(place, path));
    row.append(element("td", "", place), why, last);
    return row;
  }
}

/** @param {Shown<Traits>} shown */
function render({model, el}) {
  return new ListView(model, el).open();
}

export default {initialize, render};
