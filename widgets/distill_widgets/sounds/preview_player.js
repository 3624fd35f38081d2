// @ts-check
// The previews of a run: the worst first, and two buttons to call each good or bad by ear.
/** @import {MarkFacts} from "../page/messages" */
/** @import {Model, Shown} from "../page/types" */
/** @import {Mark} from "./mark_buttons" */
/** @import {Traits as PlayerTraits} from "./player_view" */
/** @import {RowSpec} from "./sound_row" */

import {statusLine} from "../page/status_line.js";
import {element} from "../page/text.js";
import {markButtons, markOfKey} from "./mark_buttons.js";
import {openPlayer, PlayerView} from "./player_view.js";
import {SoundRow} from "./sound_row.js";
import {arrange, worstFirst} from "./worst_first.js";

const ORDERS = ["worst first", "as in the folder"];

/** @typedef {PlayerTraits & {marks: Record<string, MarkFacts>}} Traits */

/** A row with its mark. */
class PreviewRow extends SoundRow {
  /** @param {RowSpec} spec @param {PreviewView} owner */
  constructor(spec, owner) {
    super(owner.store, spec, owner);
    this.press = (/** @type {Mark} */ mark) => owner.mark(this, mark);
    this.marks = markButtons(spec.name, this.press);
    this.el.firstElementChild?.append(this.marks.el);
  }

  /** @param {string} key */
  actionOf(key) {
    const mark = markOfKey(key);
    return mark ? () => this.press(mark) : super.actionOf(key);
  }
}

/** One place on a page that shows the previews. */
class PreviewView extends PlayerView {
  /** @param {Model<Traits>} model @param {HTMLElement} el */
  constructor(model, el) {
    super(model, el);
    this.status = statusLine(el);
    this.order = element("select");
    this.sortedBy = ""; // key of the stage
  }

  /** @returns {Model<Traits>} */
  get marked() {
    return /** @type {Model<any>} */ (this.model);
  }

  layOut() {
    super.layOut();
    this.order.append(...ORDERS.map((name) => element("option", "", name)));
    this.order.setAttribute("aria-label", "order of the sounds");
    this.order.onchange = () => this.arrange();
    this.tools.prepend(this.order);
    this.list.onpointerleave = () => this.arrangeIfStill();
    this.el.append(this.status.el);
  }

  open() {
    const close = super.open();
    const show = () => this.showMarks();
    this.model.on("change:marks", show);
    return () => {
      this.model.off("change:marks", show);
      close();
    };
  }

  /** @param {RowSpec} spec */
  newRow(spec) {
    return new PreviewRow(spec, this);
  }

  /** @param {RowSpec[]} specs */
  build(specs) {
    const before = this.built;
    super.build(specs);
    if (this.built !== before) this.sortedBy = "";
  }

  show() {
    super.show();
    this.order.hidden = this.rows.length < 2 || !this.newest?.distances.length;
    this.showMarks();
    this.arrangeIfStill();
  }

  /** The last stage, by which they are sorted whichever is heard. */
  get newest() {
    return this.model.get("stages").at(-1);
  }

  showMarks() {
    const marks = this.marked.get("marks");
    for (const row of this.rows) {
      const facts = marks[row.spec.name];
      if (row instanceof PreviewRow) row.marks.show(facts);
      row.el.dataset.mark = facts?.mark ?? "";
    }
  }

  /** Nothing jumps under the hand or the ear of somebody. */
  arrangeIfStill() {
    const isBusy =
      this.rows.some((row) => row.isPlaying) ||
      this.list.matches(":hover") ||
      this.list.contains(document.activeElement);
    if (this.newest && this.newest.key !== this.sortedBy && !isBusy) this.arrange();
  }

  arrange() {
    const places = this.order.selectedIndex
      ? this.rows.keys()
      : worstFirst(this.newest?.distances ?? [], this.rows.length);
    const order = [...places].map((place) => this.rows[place].el);
    arrange(this.list, order, this.rows.find((row) => row.isPlaying)?.el);
    this.sortedBy = this.newest?.key ?? "";
    this.el.dataset.sorted = this.sortedBy;
  }

  /** @param {PreviewRow} row @param {Mark} mark pressed; once more takes it back */
  async mark(row, mark) {
    const {name} = row.spec;
    const isMarked = this.marked.get("marks")[name]?.mark === mark;
    const command = {name, mark: isMarked ? null : mark, stage: this.el.dataset.stage};
    const {error} = await this.store.command("mark", command);
    const said = isMarked ? "not marked any more" : `${mark} by ear, kept with the run`;
    this.status.report(error ?? `${name}: ${said}`, Boolean(error));
  }
}

/** @param {Shown<Traits>} shown */
function initialize({model}) {
  return openPlayer(model);
}

/** @param {Shown<Traits>} shown */
function render({model, el}) {
  return new PreviewView(model, el).open();
}

export default {initialize, render};
