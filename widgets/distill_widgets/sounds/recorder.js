// @ts-check
// A recorder: level, stop, trim, listen, name, and hand over to the kernel.
/** @import {Model, Questions, Shown} from "../page/types" */
/** @import {Microphone} from "./microphone" */

import {openQuestions} from "../page/questions.js";
import {statusLine} from "../page/status_line.js";
import {storeOf} from "../page/store.js";
import {element, setText} from "../page/text.js";
import {markDarkness, onThemeChange, themeColour} from "../page/theme.js";
import {openMicrophone} from "./microphone.js";
import {paintEnvelope} from "./paint.js";
import {Take} from "./take.js";
import {sendFile} from "./upload.js";

const LOUD = 0.99; // what reaches full scale is cut off there
const NOTHING = "Nothing was recorded: the microphone gave no sound.";
const NEVER_GAVE = "The microphone went away before it gave any sound.";
const WENT_AWAY = "The microphone went away: what was recorded until then is here.";

/** @typedef {{action: string, is_named: boolean, longest_s: number, most_bytes: number}} Traits */

/** @param {string} text for who does not see it @param {string} value */
function slider(text, value) {
  const label = element("label", "", text);
  const input = Object.assign(element("input"), {type: "range", min: "0", max: "1", step: "0.001"});
  input.value = value;
  label.append(input);
  return {label, input};
}

/** One place on a page that shows it. */
class RecorderView {
  /** @param {Model<Traits>} model @param {HTMLElement} el */
  constructor(model, el) {
    this.model = model;
    this.el = el;
    /** @type {Questions} */
    this.store = storeOf(model);
    this.status = statusLine(el);
    this.record = element("button", "", "● Record");
    this.time = element("span", "distill-quiet");
    this.level = element("div", "distill-level");
    this.fill = element("i");
    this.after = element("div"); // what there is once something was recorded
    this.wave = element("canvas", "distill-wave");
    this.begin = slider("from", "0");
    this.end = slider("to", "1");
    this.listen = element("button", "", "▶ Listen");
    this.name = Object.assign(element("input"), {placeholder: "name", maxLength: 60});
    this.use = element("button", "", model.get("action"));
    /** @type {Microphone | null} */
    this.microphone = null;
    /** @type {Take | null} */
    this.take = null;
    /** @type {AudioContext | null} */
    this.playing = null;
    this.isClosed = false;
  }

  layOut() {
    const line = element("div", "distill-recorder-line");
    const tools = element("div", "distill-recorder-line");
    this.el.classList.add("distill", "distill-recorder");
    this.el.dataset.lmSuppressShortcuts = "true";
    this.level.setAttribute("role", "meter");
    this.level.setAttribute("aria-label", "level");
    this.name.setAttribute("aria-label", "name of the recording");
    this.name.hidden = !this.model.get("is_named");
    this.level.append(this.fill);
    line.append(this.record, this.level, this.time);
    tools.append(this.begin.label, this.end.label, this.listen, this.name, this.use);
    this.after.append(this.wave, tools);
    this.after.hidden = true;
    this.el.append(line, this.after, this.status.el);
    this.record.onclick = () => (this.microphone ? this.stop("") : this.start());
    this.begin.input.oninput = () => this.trim();
    this.end.input.oninput = () => this.trim();
    this.listen.onclick = () => this.play();
    this.use.onclick = () => this.handOver();
    this.name.onkeydown = (event) => {
      event.stopPropagation(); // the notebook has its own meaning for keys
      if (event.key === "Enter") this.handOver();
    };
  }

  /** Lays it out; returns what ends it. */
  open() {
    this.layOut();
    markDarkness(this.el);
    const themed = onThemeChange(() => this.paint());
    this.setState("idle");
    return () => {
      this.isClosed = true;
      themed();
      this.microphone?.close();
      this.playing?.close();
    };
  }

  /** @param {string} state */
  setState(state) {
    this.el.dataset.state = state;
    setText(this.record, state === "recording" ? "■ Stop" : "● Record");
    this.record.disabled = state === "asking" || state === "sending";
    this.use.disabled = state === "sending";
  }

  // --- recording ------------------------------------------------------------------------------

  async start() {
    this.setState("asking");
    this.status.report("the browser is asked for its microphone…");
    this.playing?.close();
    this.playing = null;
    this.take = null;
    this.after.hidden = true;
    try {
      const microphone = await openMicrophone(
        (samples) => this.receive(samples),
        () => this.stop(WENT_AWAY),
      );
      if (this.isClosed) {
        microphone.close();
        return;
      }
      this.microphone = microphone;
      this.take = new Take(microphone.rate, this.model.get("longest_s"));
      this.status.report("");
      this.setState("recording");
    } catch (error) {
      this.status.report(String(Object(error).message ?? error), true);
      this.setState("idle");
    }
  }

  /** @param {Float32Array} samples */
  receive(samples) {
    const {take} = this;
    if (!take || !this.microphone) return;
    const peak = take.add(samples);
    this.showLevel(peak);
    setText(this.time, `${take.seconds.toFixed(1)} s`);
    this.el.dataset.seconds = take.seconds.toFixed(3);
    if (take.isFull)
      this.stop(`Stopped after ${this.model.get("longest_s")} s, the longest there is.`);
  }

  /** @param {number} peak */
  showLevel(peak) {
    const shown = Math.max(peak, 0.9 * Number(this.level.dataset.peak ?? 0)); // it falls slowly
    this.level.dataset.peak = String(shown);
    this.level.dataset.loud = String(shown > LOUD);
    this.level.setAttribute("aria-valuenow", shown.toFixed(2));
    this.fill.style.width = `${(100 * Math.min(1, shown)).toFixed(0)}%`;
  }

  /** @param {string} why where nobody pressed Stop */
  stop(why) {
    this.microphone?.close();
    this.microphone = null;
    this.level.dataset.peak = "0";
    this.showLevel(0);
    if (!this.take?.length) {
      this.status.report(why ? NEVER_GAVE : NOTHING, true);
      this.setState("idle");
      return;
    }
    this.status.report(why, Boolean(why));
    this.begin.input.value = "0";
    this.end.input.value = "1";
    this.after.hidden = false;
    this.trim();
    this.setState("recorded");
  }

  // --- what was recorded ----------------------------------------------------------------------

  trim() {
    this.take?.trim(Number(this.begin.input.value), Number(this.end.input.value));
    this.paint();
  }

  paint() {
    markDarkness(this.el);
    const {take} = this;
    if (!take || this.after.hidden) return;
    const seconds = (take.to - take.from) / take.rate;
    setText(this.time, `${seconds.toFixed(1)} s`);
    this.el.dataset.seconds = seconds.toFixed(3);
    const ink = themeColour(this.el, "var(--distill-accent)");
    paintEnvelope(this.wave, take.outline, 0, ink, ink);
  }

  async play() {
    const {take} = this;
    await this.playing?.close();
    this.playing = null;
    const kept = take?.kept.slice();
    if (!take || !kept?.length) return;
    const context = new AudioContext();
    this.playing = context;
    const source = context.createBufferSource();
    source.buffer = context.createBuffer(1, kept.length, take.rate);
    source.buffer.copyToChannel(kept, 0);
    source.connect(context.destination);
    source.start();
  }

  async handOver() {
    const {take, name, store} = this;
    if (!take || this.use.disabled) return;
    if (take.to <= take.from) {
      this.status.report("Nothing is left of it: move from and to apart.", true);
      return;
    }
    this.setState("sending");
    this.status.report("sending…");
    try {
      const file = take.fileOf("the recording");
      const upload = await sendFile(store, file, this.model.get("most_bytes"), () => {});
      const answer = await store.command("recorded", {upload, rate: take.rate, name: name.value});
      if (answer.error) throw new Error(answer.error);
      this.status.report(answer.said);
      this.el.dataset.used = String(Number(this.el.dataset.used ?? 0) + 1);
    } catch (error) {
      this.status.report(String(Object(error).message ?? error), true);
    }
    this.setState("recorded");
  }
}

/** @param {Shown<Traits>} shown */
function initialize({model}) {
  return openQuestions(model, {}).close;
}

/** @param {Shown<Traits>} shown */
function render({model, el}) {
  return new RecorderView(model, el).open();
}

export default {initialize, render};
