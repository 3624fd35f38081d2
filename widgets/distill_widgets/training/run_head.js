// @ts-check
// The head of a dashboard: what the run is doing, how far it is, and what may be asked of it.
/** @import {Done} from "../page/messages" */
/** @import {Model, Shown, Store} from "../page/types" */

import {duration} from "../page/amounts.js";
import {closeStore, keepInTouch, openStore, send, storeOf} from "../page/store.js";
import {element, setText} from "../page/text.js";
import {markDarkness, onThemeChange} from "../page/theme.js";

const TICK_MS = 1000;
const QUIET_MS = 1500; // after that the page counts the seconds itself: a paused kernel, a slow step

/**
 * @typedef {object} RunState what the kernel says of a run, see run_state.py
 * @property {string} state
 * @property {string} name
 * @property {string} word
 * @property {string} tone
 * @property {boolean} moving
 * @property {number} progress in [0, 1]
 * @property {number | null} epoch
 * @property {number | null} step
 * @property {number | null} elapsed_s
 * @property {number | null} eta_s
 * @property {number | null} pace
 * @property {string} device
 * @property {string} plateau
 * @property {string} trouble
 */
/**
 * @typedef {{
 *   does: string, label: string, busy_label: string, hint: string, enabled: boolean
 * }} ButtonSpec
 */
/** @typedef {{state: RunState, buttons: ButtonSpec[]}} Traits */
/**
 * @typedef {Store & {
 *   pressed: Map<string, number>, presses: number, arrivedAt: number, sync: () => void
 * }} HeadStore
 */

const FACTS = /** @type {const} */ ({
  epoch: "epoch",
  step: "step",
  elapsed: "elapsed",
  left: "remaining",
  pace: "steps a second",
  device: "device",
});

/** @param {Shown<Traits>} shown */
function initialize({model}) {
  /** @type {HeadStore} */
  const store = openStore(model, {
    pressed: new Map(),
    presses: 0,
    arrivedAt: Date.now(),
    sync: () => send(model, {type: "sync"}),
  });
  /** @param {Done} message */
  function receive(message) {
    if (message.type !== "done" || message.client !== store.client) return;
    if (store.pressed.get(message.button) === message.press) store.pressed.delete(message.button);
    for (const view of store.views) view.show?.();
  }
  model.on("msg:custom", receive);
  const leave = keepInTouch(model, store, store.sync);
  return () => {
    leave();
    model.off("msg:custom", receive);
    closeStore(model, store);
  };
}

/**
 * @param {number | null} seconds
 * @param {number} more
 */
function shownDuration(seconds, more) {
  return seconds === null ? "–" : duration(seconds + more);
}

/** @param {number | null} count */
function shownCount(count) {
  return count === null ? "–" : count.toLocaleString("en");
}

/** One place on a page that shows the head. */
class HeadView {
  /** @param {Model<Traits>} model @param {HTMLElement} el */
  constructor(model, el) {
    this.model = model;
    this.el = el;
    /** @type {HeadStore} */
    this.store = storeOf(model);
    this.name = element("span", "distill-name");
    this.state = element("span", "distill-state");
    this.buttons = element("span", "distill-buttons");
    this.bar = element("div", "distill-bar");
    this.fill = element("div");
    this.facts = element("div", "distill-facts");
    this.plateau = element("div", "distill-plateau");
    this.said = element("span");
    this.stop = element("button"); // the head's own, once more beside what speaks for it
    this.trouble = element("div", "distill-trouble");
    /** @type {HTMLButtonElement[]} */
    this.made = [];
    this.values = this.layOut();
  }

  layOut() {
    const line = element("div", "distill-head-line");
    this.el.classList.add("distill", "distill-head");
    this.bar.setAttribute("role", "progressbar");
    this.bar.setAttribute("aria-label", "share of the budget that is used");
    this.state.setAttribute("role", "status");
    this.trouble.setAttribute("role", "alert");
    this.said.setAttribute("role", "status");
    this.stop.onclick = () => this.press("stop");
    this.plateau.append(this.said, this.stop);
    this.bar.append(this.fill);
    line.append(this.name, this.state, this.buttons);
    this.el.append(line, this.bar, this.facts, this.plateau, this.trouble);
    const values = Object.entries(FACTS).map(([key, label]) => [key, this.fact(label)]);
    return /** @type {Record<keyof typeof FACTS, HTMLElement>} */ (Object.fromEntries(values));
  }

  /** @param {string} label */
  fact(label) {
    const box = element("div", "distill-fact");
    const value = element("b");
    box.append(value, element("span", "", label));
    this.facts.append(box);
    return value;
  }

  /** Begins to follow the run; returns what ends that. */
  open() {
    const {model, store, el} = this;
    const view = {show: () => this.show()};
    const arrived = () => {
      store.arrivedAt = Date.now();
      this.show();
    };
    markDarkness(el);
    store.views.add(view);
    model.on("change:state", arrived);
    model.on("change:buttons", view.show);
    const timer = setInterval(() => this.tickIfQuiet(), TICK_MS);
    const themed = onThemeChange(() => markDarkness(el));
    this.show();
    store.sync();
    return () => {
      clearInterval(timer);
      themed();
      model.off("change:state", arrived);
      model.off("change:buttons", view.show);
      store.views.delete(view);
    };
  }

  show() {
    const now = this.model.get("state");
    setText(this.name, now.name);
    setText(this.state, now.word);
    this.state.dataset.tone = now.tone;
    this.model.get("buttons").forEach((spec, place) => {
      this.showButton(this.made[place] ?? this.addButton(), spec);
    });
    this.fill.style.width = `${(100 * now.progress).toFixed(1)}%`;
    this.bar.setAttribute("aria-valuenow", String(Math.round(100 * now.progress)));
    this.showFacts(now);
    this.showPlateau(now.plateau);
    setText(this.trouble, now.trouble);
    this.trouble.hidden = !now.trouble;
    this.el.dataset.state = now.state;
  }

  /** @param {RunState} now */
  showFacts(now) {
    setText(this.values.epoch, shownCount(now.epoch));
    setText(this.values.step, shownCount(now.step));
    setText(this.values.pace, now.pace === null ? "–" : now.pace.toFixed(1));
    setText(this.values.device, now.device);
    this.el.dataset.step = String(now.step ?? 0);
    this.el.dataset.epoch = String(now.epoch ?? 0);
    this.tick();
  }

  /** @param {string} said */
  showPlateau(said) {
    const spec = this.model.get("buttons").find(({does}) => does === "stop");
    setText(this.said, said);
    this.plateau.hidden = !said;
    if (spec) this.label(this.stop, spec);
  }

  tick() {
    const now = this.model.get("state");
    const since = now.moving ? (Date.now() - this.store.arrivedAt) / 1000 : 0;
    setText(this.values.elapsed, shownDuration(now.elapsed_s, since));
    setText(this.values.left, shownDuration(now.eta_s, -since));
  }

  tickIfQuiet() {
    if (Date.now() - this.store.arrivedAt > QUIET_MS) this.tick();
  }

  /** The first is Pause or Resume, whichever makes sense. */
  addButton() {
    const button = element("button");
    button.onclick = () => this.press(button.dataset.does ?? "");
    this.buttons.append(button);
    this.made.push(button);
    return button;
  }

  /** @param {HTMLButtonElement} button @param {ButtonSpec} spec */
  showButton(button, spec) {
    this.label(button, spec);
    button.dataset.does = spec.does;
  }

  /** @param {HTMLButtonElement} button @param {ButtonSpec} spec */
  label(button, spec) {
    const isPressed = this.store.pressed.has(spec.does);
    setText(button, isPressed ? spec.busy_label : spec.label);
    button.disabled = isPressed || !spec.enabled;
    button.title = spec.hint;
  }

  /** @param {string} button */
  press(button) {
    const {store, model} = this;
    store.presses += 1;
    store.pressed.set(button, store.presses);
    send(model, {type: "press", button, press: store.presses, client: store.client});
    for (const view of store.views) view.show?.();
  }
}

/** @param {Shown<Traits>} shown */
function render({model, el}) {
  return new HeadView(model, el).open();
}

export default {initialize, render};
