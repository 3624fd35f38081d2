// @ts-check
// The head of a dashboard: what the run is doing, how far it is, and what may be asked of it.

import {
  closeStore,
  duration,
  element,
  keepInTouch,
  markDarkness,
  onThemeChange,
  openStore,
  setText,
  storeOf,
  tell,
} from "../page/common.js";

function initialize({model}) {
  const store = openStore(model, {pressed: new Map(), presses: 0});
  store.sync = () => tell(model, {type: "sync"});
  const receive = (message) => {
    if (message.type !== "done" || message.client !== store.client) return;
    if (store.pressed.get(message.button) === message.press) store.pressed.delete(message.button);
    store.views.forEach((view) => view.show());
  };
  model.on("msg:custom", receive);
  const leave = keepInTouch(model, store, store.sync);
  return () => {
    leave();
    model.off("msg:custom", receive);
    closeStore(model, store);
  };
}

function fact(label) {
  const box = element("div", "distill-fact"),
    value = element("b");
  box.append(value, element("span", "", label));
  return {box, say: (text) => setText(value, text)};
}

function render({model, el}) {
  const store = storeOf(model);
  el.classList.add("distill", "distill-head");
  markDarkness(el);
  const line = element("div", "distill-head-line"),
    name = element("span", "distill-name");
  const state = element("span", "distill-state"),
    buttons = element("span", "distill-buttons");
  const bar = element("div", "distill-bar"),
    fill = element("div");
  const facts = element("div", "distill-facts"),
    trouble = element("div", "distill-trouble");
  bar.setAttribute("role", "progressbar");
  state.setAttribute("role", "status");
  trouble.setAttribute("role", "alert");
  bar.append(fill);
  line.append(name, state, buttons);
  el.append(line, bar, facts, trouble);
  const shown = {};
  for (const [key, label] of Object.entries({
    epoch: "epoch",
    step: "step",
    elapsed: "elapsed",
    left: "remaining",
    pace: "steps a second",
    device: "device",
  })) {
    shown[key] = fact(label);
    facts.append(shown[key].box);
  }
  const made = [];
  const buttonAt = (place) => {
    // the first is Pause or Resume, whichever makes sense
    const button = element("button");
    button.onclick = () => {
      store.presses += 1;
      store.pressed.set(button.dataset.does, store.presses);
      tell(model, {
        type: "press",
        button: button.dataset.does,
        press: store.presses,
        client: store.client,
      });
      store.views.forEach((view) => view.show());
    };
    buttons.append(button);
    made[place] = button;
    return button;
  };

  const tick = () => {
    // for when nothing has arrived: a paused kernel, a slow step
    const now = model.get("state"),
      since = now.moving ? (Date.now() - store.shownAt) / 1000 : 0;
    shown.elapsed.say(now.elapsed_s === null ? "–" : duration(now.elapsed_s + since));
    shown.left.say(now.eta_s === null ? "–" : duration(now.eta_s - since));
  };
  const show = () => {
    const now = model.get("state");
    setText(name, now.name);
    setText(state, now.word);
    state.dataset.tone = now.tone;
    model.get("buttons").forEach((spec, place) => {
      const button = made[place] ?? buttonAt(place),
        pressed = store.pressed.has(spec.does);
      const label = pressed ? spec.busy_label : spec.label;
      setText(button, label);
      button.disabled = pressed || !spec.enabled;
      button.title = spec.hint;
      button.dataset.does = spec.does;
    });
    const share = `${(100 * now.progress).toFixed(1)}%`;
    fill.style.width = share;
    bar.setAttribute("aria-valuenow", Math.round(100 * now.progress));
    shown.epoch.say(now.epoch === null ? "–" : now.epoch.toLocaleString("en"));
    shown.step.say(now.step === null ? "–" : now.step.toLocaleString("en"));
    shown.pace.say(now.pace === null ? "–" : now.pace.toFixed(1));
    shown.device.say(now.device);
    setText(trouble, now.trouble);
    trouble.hidden = !now.trouble;
    el.dataset.state = now.state;
    el.dataset.step = now.step ?? 0;
    el.dataset.epoch = now.epoch ?? 0;
    tick();
  };
  const changed = () => {
    store.shownAt = Date.now();
    show();
  };
  const view = {show};
  store.shownAt ??= Date.now();
  store.views.add(view);
  model.on("change:state", changed);
  model.on("change:buttons", show);
  const clock = setInterval(() => {
    if (Date.now() - store.shownAt > 1500) tick();
  }, 1000);
  const themed = onThemeChange(() => markDarkness(el));
  show();
  store.sync();
  return () => {
    clearInterval(clock);
    themed();
    model.off("change:state", changed);
    model.off("change:buttons", show);
    store.views.delete(view);
  };
}

export default {initialize, render};
