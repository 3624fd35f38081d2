// @ts-check
// Pads that each hold a generated sound: to play, keep, discard, and make others of.
/** @import {Outcomes, PadFacts} from "../page/messages" */
/** @import {Model, Shown} from "../page/types" */
/** @import {Traits} from "../sounds/player_view" */
/** @import {RowSpec, SoundRow} from "../sounds/sound_row" */

import {statusLine} from "../page/status_line.js";
import {element} from "../page/text.js";
import {openPlayer, PlayerView} from "../sounds/player_view.js";

/** @type {[keyof Outcomes, string, string][]} */
const ACTIONS = [
  ["keep", "keep", "is exported with the others that are kept"],
  ["vary", "vary", "the same structure, other detail: level 1 stays"],
  ["extend", "continue", "the same sound, and what may follow"],
  ["alike", "more like this", "begins as it does, goes on in another way"],
  ["show", "codes", "shows its codes below"],
  ["discard", "discard", "takes it off; Undo brings it back"],
];

/** @param {number} part @param {number} whole */
function percent(part, whole) {
  return `${(100 * Math.min(1, part / whole)).toFixed(1)}%`;
}

/**
 * The sound from end to end, and the part of it that stands in a recording.
 *
 * @param {PadFacts} pad @param {number} seconds
 */
function copiedBar(pad, seconds) {
  const bar = element("span", "distill-copied");
  const part = element("i");
  part.style.left = percent(pad.shared_from_s, seconds);
  part.style.width = percent(pad.shared_s, seconds);
  bar.dataset.copy = String(pad.is_copy);
  bar.append(part);
  return bar;
}

/** One place on a page that shows the pads. */
class PadsView extends PlayerView {
  /** @param {Model<Traits>} model @param {HTMLElement} el */
  constructor(model, el) {
    super(model, el);
    this.status = statusLine(el);
  }

  layOut() {
    super.layOut();
    this.el.classList.add("distill-pads");
    this.el.append(this.status.el);
  }

  /**
   * @param {SoundRow} row
   * @param {RowSpec} spec
   */
  placeOf(row, spec) {
    const place = element("div", "distill-pad");
    const {pad} = /** @type {RowSpec & {pad: PadFacts}} */ (spec);
    const said = element("div", "distill-pad-line");
    const buttons = element("div", "distill-pad-line");
    said.append(copiedBar(pad, spec.seconds), element("span", "", pad.copied));
    buttons.append(...ACTIONS.map((action) => this.button(pad, ...action)));
    buttons.append(element("span", "", pad.about));
    place.dataset.number = String(pad.number);
    place.dataset.kept = String(pad.kept);
    place.append(row.el, said, buttons);
    return place;
  }

  /**
   * @param {PadFacts} pad @param {keyof Outcomes} kind
   * @param {string} text @param {string} hint
   */
  button(pad, kind, text, hint) {
    const button = element("button", "distill-toggle", text);
    button.title = hint;
    button.dataset.action = kind;
    button.setAttribute("aria-label", `${text}, sound ${pad.number}`);
    if (kind === "keep") button.setAttribute("aria-pressed", String(pad.kept));
    button.onclick = () => this.act(kind, pad.number);
    return button;
  }

  /** @param {keyof Outcomes} kind @param {number} number */
  async act(kind, number) {
    this.status.report("…");
    const answer = await this.store.command(kind, {number});
    this.status.report(answer.error ?? "", Boolean(answer.error));
  }
}

/** @param {Shown<Traits>} shown */
function initialize({model}) {
  return openPlayer(model);
}

/** @param {Shown<Traits>} shown */
function render({model, el}) {
  return new PadsView(model, el).open();
}

export default {initialize, render};
