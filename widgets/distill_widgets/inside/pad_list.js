// @ts-check
// Pads that each hold a generated sound: to play, keep, discard, and make others of.
/** @import {Outcomes, PadFacts, Piece} from "../page/messages" */
/** @import {PadSpec} from "./pad_row" */
/** @import {Model, Shown} from "../page/types" */
/** @import {Traits} from "../sounds/player_view" */
/** @import {RowSpec, SoundRow} from "../sounds/sound_row" */
/** @import {Sounds} from "../sounds/sound_store" */

import {numbers} from "../page/buffers.js";
import {statusLine} from "../page/status_line.js";
import {storeOf} from "../page/store.js";
import {element} from "../page/text.js";
import {openPlayer, PlayerView, placeToPlay} from "../sounds/player_view.js";
import {PadRow} from "./pad_row.js";

/** @type {[keyof Outcomes, string, string][]} */
const ACTIONS = [
  ["keep", "keep", "is exported with the others that are kept"],
  ["vary", "vary", "the same structure, other detail: level 1 stays"],
  ["extend", "continue", "the same sound, and what may follow"],
  ["alike", "more like this", "begins as it does, goes on in another way"],
  ["loop", "loop", "goes on from it, and ends where it begins"],
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

  /** @param {RowSpec} spec the number of a sound stays, its length is known once it is drawn */
  soundOf({name}) {
    return name;
  }

  /** @param {RowSpec} spec */
  newRow(spec) {
    return new PadRow(this.store, spec, this);
  }

  /**
   * Plays a piece of a sound that is being drawn.
   *
   * @param {Piece} piece
   * @param {Float32Array<ArrayBuffer>} samples
   */
  hear({number, place, rate}, samples) {
    const rows = /** @type {PadRow[]} */ (this.rows);
    const row = rows.find(({spec}) => /** @type {PadSpec} */ (spec).pad.number === number);
    if (place === 0) this.quiet(row ?? null);
    row?.hear(place, samples, rate);
  }

  /**
   * @param {SoundRow} row
   * @param {RowSpec} spec
   */
  placeOf(row, spec) {
    const place = element("div", "distill-pad");
    const {pad} = /** @type {PadSpec} */ (spec);
    const padRow = /** @type {PadRow} */ (row);
    const said = element("div", "distill-pad-line");
    const buttons = element("div", "distill-pad-line");
    padRow.become(spec, pad.drawn);
    if (pad.drawn) {
      said.append(copiedBar(pad, spec.seconds), element("span", "", pad.copied));
      buttons.append(...ACTIONS.map((action) => this.button(pad, ...action)));
      const fill = this.button(pad, "fill", "fill", "new between these moments", padRow.gap);
      padRow.gap.enter = () => fill.click();
      buttons.append(fill, padRow.gap.el);
    } else said.append(element("span", "", "is being drawn …"));
    buttons.append(element("span", "", pad.about));
    place.dataset.number = String(pad.number);
    place.dataset.kept = String(pad.kept);
    place.append(row.el, said, buttons);
    return place;
  }

  /**
   * @param {PadFacts} pad @param {keyof Outcomes} kind
   * @param {string} text @param {string} hint
   * @param {{asked: object}} more what is asked beside the number of the sound
   */
  button(pad, kind, text, hint, more = {asked: {}}) {
    const button = element("button", "distill-toggle", text);
    button.title = hint;
    button.dataset.action = kind;
    button.setAttribute("aria-label", `${text}, sound ${pad.number}`);
    if (kind === "keep") button.setAttribute("aria-pressed", String(pad.kept));
    button.onclick = () => this.act(kind, {number: pad.number, ...more.asked});
    return button;
  }

  /** @param {keyof Outcomes} kind @param {object} asked */
  async act(kind, asked) {
    this.status.report("…");
    const answer = await this.store.command(kind, asked);
    this.status.report(answer.error ?? "", Boolean(answer.error));
  }
}

/**
 * Has one place play what arrives of sounds that are being drawn, each from begin to end in the same.
 *
 * @param {Model<Traits>} model @param {Sounds} store
 * @returns {() => void} what ends that
 */
function playPieces(model, store) {
  /** @type {PadsView | undefined} */
  let chosen;
  /** @param {Piece} message @param {DataView[]} buffers */
  const receive = (message, buffers) => {
    if (message.type !== "piece") return;
    if (message.place === 0) chosen = /** @type {PadsView} */ (placeToPlay(store));
    chosen?.hear(message, numbers(buffers[0], Float32Array));
  };
  model.on("msg:custom", receive);
  return () => model.off("msg:custom", receive);
}

/** @param {Shown<Traits>} shown */
function initialize({model}) {
  const close = openPlayer(model);
  const stop = playPieces(model, storeOf(model));
  return () => {
    stop();
    close();
  };
}

/** @param {Shown<Traits>} shown */
function render({model, el}) {
  return new PadsView(model, el).open();
}

export default {initialize, render};
