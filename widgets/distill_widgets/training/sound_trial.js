// @ts-check
// A sound of one's own: chosen, dropped or picked from the run's, and heard through its weights.
/** @import {Model, Shown} from "../page/types" */
/** @import {Traits as PlayerTraits} from "../sounds/player_view" */

import {LATE, whenLate} from "../page/questions.js";
import {statusLine} from "../page/status_line.js";
import {element, setText, shownText} from "../page/text.js";
import {openPlayer, PlayerView} from "../sounds/player_view.js";
import {sendFile} from "../sounds/upload.js";

const ROWS_SHOWN = 5;
const ASK_AGAIN_MS = 1000; // what was made comes by itself, and a question costs who trains

/** @typedef {PlayerTraits & {most_bytes: number, only_answers: boolean}} Traits */
/** @typedef {{upload: number} | {recording: number} | object} Source */

/**
 * What is said below the list.
 *
 * @param {{names: string[], found: number, total: number}} of
 */
export function noteOn({names, found, total}) {
  if (!total) return "the run has not read its recordings yet";
  if (!found) return `none of ${total} recordings has that in its name`;
  return names.length < found ? `${names.length} of ${found}: type more of the name` : "";
}

/**
 * What will be played of a try: what has been asked for is sent as soon as it is there.
 *
 * @param {number} number of the try
 * @param {Source} source what was chosen; nothing, for the sound that is there
 */
export function soundsOf(number, source) {
  const isNew = "upload" in source || "recording" in source;
  return isNew ? [`${number}/original`, `${number}/made`] : [`${number}/made`];
}

/** One place on a page that shows it. */
class TrialView extends PlayerView {
  /** @param {Model<Traits>} model @param {HTMLElement} el */
  constructor(model, el) {
    super(/** @type {Model<any>} */ (model), el);
    this.most = model.get("most_bytes");
    this.onlyAnswers = model.get("only_answers");
    this.restMs = this.onlyAnswers ? 0 : ASK_AGAIN_MS;
    this.status = statusLine(el);
    this.drop = element("div", "distill-drop", "Drop a sound here, or choose one:");
    this.file = Object.assign(element("input"), {type: "file", accept: "audio/*,.flac,.aif,.aiff"});
    this.search = Object.assign(element("input"), {type: "search", placeholder: "recordings"});
    this.names = Object.assign(element("select"), {size: ROWS_SHOWN});
    this.note = element("span", "distill-quiet");
    this.pick = element("button", "", "Try it");
    this.again = element("button", "distill-toggle", "again, through the weights of now");
    this.searches = 0;
    this.isBusy = false;
  }

  layOut() {
    super.layOut();
    const form = element("div", "distill-trial-form");
    const picks = element("div", "distill-pick");
    this.el.classList.add("distill-trial");
    this.el.dataset.lmSuppressShortcuts = "true";
    this.file.setAttribute("aria-label", "a sound file");
    this.search.setAttribute("aria-label", "search the run's recordings");
    this.names.setAttribute("aria-label", "recordings of the run");
    this.drop.append(this.file);
    picks.append(this.search, this.names, this.pick, this.note);
    form.append(this.drop, picks);
    this.el.prepend(form, this.status.el, this.again);
    this.listen();
    this.find();
  }

  listen() {
    const {drop, file, search, names} = this;
    file.onchange = () => this.tryFile(file.files?.[0]);
    search.oninput = () => this.find();
    search.onkeydown = (event) => event.stopPropagation(); // the notebook has its own keys
    names.onkeydown = (event) => this.onListKey(event);
    names.ondblclick = () => this.tryPicked();
    this.pick.onclick = () => this.tryPicked();
    this.again.onclick = () => this.attempt(async () => ({}));
    drop.ondragover = (event) => this.onDrag(event, true);
    drop.ondragleave = (event) => this.onDrag(event, false);
    drop.ondrop = (event) => this.onDrop(event);
  }

  /** @param {DragEvent} event @param {boolean} isOver */
  onDrag(event, isOver) {
    event.preventDefault();
    event.stopPropagation();
    this.drop.dataset.over = String(isOver);
  }

  /** @param {DragEvent} event */
  onDrop(event) {
    this.onDrag(event, false);
    const file = event.dataTransfer?.files[0];
    if (file) this.tryFile(file);
    else this.status.report("That was no file: drop a sound file, or choose one.", true);
  }

  /** @param {KeyboardEvent} event */
  onListKey(event) {
    event.stopPropagation();
    if (event.key === "Enter") this.tryPicked();
  }

  show() {
    super.show();
    this.again.hidden = !this.rows.length;
  }

  // --- what is chosen -------------------------------------------------------------------------

  /** Shows the recordings whose name has in it what was typed. */
  async find() {
    this.searches += 1;
    const mine = this.searches;
    const text = this.search.value;
    const answer = await this.store.get("recordings", text);
    this.store.forgetAnswer("recordings", text); // a run that starts has none yet
    if (mine !== this.searches) return;
    setText(this.note, answer.error ?? noteOn(answer));
    if (answer.error) return;
    const options = answer.names.map(
      (name, i) => new Option(shownText(name), String(answer.numbers[i])),
    );
    this.names.replaceChildren(...options);
    this.names.disabled = !options.length;
    this.el.dataset.found = String(answer.found);
  }

  /** @param {File | undefined} file */
  tryFile(file) {
    if (!file) return;
    const said = (/** @type {number} */ share) =>
      this.status.report(`${file.name}: ${Math.round(100 * share)} % sent…`);
    this.attempt(async () => ({upload: await sendFile(this.store, file, this.most, said)}));
    this.file.value = ""; // the same one may be chosen again
  }

  tryPicked() {
    const {value} = this.names;
    if (value === "") this.status.report("Choose a recording from the list first.", true);
    else this.attempt(async () => ({recording: Number(value)}));
  }

  // --- what is made of it ---------------------------------------------------------------------

  /** @param {boolean} isBusy */
  setBusy(isBusy) {
    this.isBusy = isBusy;
    for (const control of [this.pick, this.again, this.file]) control.disabled = isBusy;
    this.el.dataset.busy = String(isBusy);
  }

  /**
   * Has a sound tried and plays what was made of it.
   *
   * @param {() => Promise<Source>} choose
   */
  async attempt(choose) {
    if (this.isBusy) {
      this.status.report("One sound is being tried already: wait until it is heard.", true);
      return;
    }
    const began = performance.now();
    this.setBusy(true);
    try {
      const number = await this.made(await choose());
      this.status.report("");
      this.isNewest = true;
      this.show();
      await this.playNewest();
      this.el.dataset.heardMs = (performance.now() - began).toFixed(0);
      this.measured(number);
    } catch (error) {
      this.status.report(String(Object(error).message ?? error), true);
    } finally {
      this.setBusy(false);
    }
  }

  /**
   * @param {Source} source
   * @returns {Promise<number>} by which the kernel knows the try
   */
  async made(source) {
    this.status.report("the run is asked for its weights…");
    const late = () => this.status.report(LATE);
    const {number, error} = await whenLate(this.store.command("attempt", source), late);
    if (error) throw new Error(error);
    const early = this.onlyAnswers ? [] : soundsOf(number, source);
    for (const key of early) this.store.url(key).catch(() => {}); // a row says what is wrong
    await this.arrived(`${number}/made`, this.until("outcome", number));
    return number;
  }

  /**
   * Waits for a stage, which comes by itself; in Colab with an answer.
   *
   * @param {string} key
   * @param {Promise<void>} answer
   */
  async arrived(key, answer) {
    let look = () => {};
    /** @type {Promise<void>} */
    const stage = new Promise((done) => {
      look = () => {
        if (this.model.get("stages").some((one) => one.key === key)) done();
      };
    });
    this.model.on("change:stages", look);
    try {
      await Promise.race([answer, stage]);
    } finally {
      this.model.off("change:stages", look);
    }
  }

  /**
   * Asks for what follows: in Colab nothing arrives that no page has asked for.
   *
   * @param {number} number
   */
  async measured(number) {
    try {
      await this.until("measured", number);
    } catch (error) {
      this.status.report(String(Object(error).message ?? error), true);
    }
  }

  /** @param {"outcome" | "measured"} what of a try @param {number} number */
  async until(what, number) {
    for (;;) {
      const {done, error} = await this.store.command(what, {number});
      if (error) throw new Error(error);
      if (done) return;
      await new Promise((rested) => setTimeout(rested, this.restMs));
    }
  }
}

/** @param {Shown<Traits>} shown */
function initialize({model}) {
  return openPlayer(/** @type {Model<any>} */ (model));
}

/** @param {Shown<Traits>} shown */
function render({model, el}) {
  return new TrialView(model, el).open();
}

export default {initialize, render};
