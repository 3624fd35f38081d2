// @ts-check
// Codes to look at and to listen to: names of the levels at the left, the grid, and what is heard.

import {element, markDarkness, onThemeChange, setText, storeOf} from "../page/common.js";
import {LATE, whenLate} from "../page/questions.js";
import {loaded, openSounds} from "../sounds/player.js";
import {openVoice} from "../sounds/voice.js";
import {clock, entryColours, Grid} from "./code_grid.js";
import {levelNames} from "./level_names.js";

function initialize({model}) {
  const store = openSounds(model);
  return store.close;
}

function huesOf(model) {
  const view = model.get("hues"),
    bytes = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
  return new Uint16Array(bytes);
}

function sourcesOf(facts) {
  const first = Array.from({length: facts.levels}, (_, n) => ({
    key: `first-${n + 1}`,
    label: Array.from({length: n + 1}, (_, k) => k + 1).join("+"),
    title:
      n + 1 === facts.levels
        ? "all levels: the reconstruction"
        : n
          ? `the first ${n + 1} levels`
          : "the first level",
  }));
  return facts.original
    ? [{key: "original", label: "original", title: "what was recorded"}, ...first]
    : first;
}

function render({model, el}) {
  const store = storeOf(model),
    facts = model.get("facts"),
    sources = sourcesOf(facts);
  const whole = sources.at(-1).key;
  el.classList.add("distill", "distill-codes");
  el.tabIndex = 0;
  el.setAttribute("role", "application");
  el.setAttribute("aria-label", `codes of ${model.get("name")}: arrows move, Enter plays`);
  el.dataset.lmSuppressShortcuts = "true"; // the notebook has its own meaning for arrows and keys
  el.dataset.status = "ready";
  markDarkness(el);

  // --- parts of the page ---------------------------------------------------------------------
  const bar = element("div", "distill-chart-bar"),
    tools = element("span", "distill-chart-tools");
  const play = element("button", "distill-play", "▶"),
    time = element("span", "distill-time");
  const listen = element("span", "distill-ab"),
    body = element("div", "distill-grid");
  const names = element("div", "distill-grid-names"),
    said = element("div", "distill-said");
  const place = element("span"),
    write = element("button", "distill-toggle", "");
  play.setAttribute("aria-label", "play the whole sound");
  said.setAttribute("role", "status");
  bar.append(element("span", "distill-chart-title", model.get("name")), tools);
  const line = element("div", "distill-codes-line");
  line.append(play, listen, time);
  const out = element("button", "distill-toggle", "−"),
    into = element("button", "distill-toggle", "+");
  out.title = "narrower cells";
  into.title = "wider cells";
  tools.append(write, out, into);
  write.hidden = true;
  setText(write, `keep names in ${facts.file}`);
  const help = element(
    "div",
    "distill-quiet distill-codes-help",
    "click a cell, or the time above for all levels of a moment · arrows move · Enter plays · space plays all" +
      (facts.original ? " · x compares with the original" : ""),
  );
  el.append(bar, line, body, said, help, place);

  const tell_ = (text, bad = false) => {
    setText(said, text);
    said.classList.toggle("distill-bad-news", bad);
    if (bad) el.dataset.error = text;
    else delete el.dataset.error;
  };

  // --- what is heard -------------------------------------------------------------------------
  const voice = openVoice({
    store,
    facts,
    place,
    changed: () => follow(),
    failed: (error) => {
      tell_(error.message, true);
      el.dataset.status = "error";
    },
  });
  voice.source = whole;
  let single = null,
    compared = facts.original ? "original" : whole,
    listened = whole,
    waitingFor = 0;

  async function hear(key, text) {
    const began = performance.now(),
      mine = (waitingFor += 1);
    if (voice.playing || voice.waiting) voice.pause();
    single?.pause();
    el.dataset.asked = key;
    tell_(text);
    try {
      const {audio, louder} = await whenLate(
        loaded(store, key),
        () => mine === waitingFor && tell_(`${text} · ${LATE}`),
      );
      if (mine !== waitingFor) return;
      single?.remove();
      single = audio;
      place.append(audio);
      await audio.play();
      el.dataset.heard = key;
      el.dataset.duration = audio.duration;
      el.dataset.clickMs = (performance.now() - began).toFixed(0);
      tell_(louder ? `${text} · made ${louder} dB louder` : text);
    } catch (error) {
      if (mine === waitingFor) tell_(error.message, true);
    }
  }

  const where = (step) => `${(step * facts.step_s).toFixed(2)} s`;
  const named = (level) => model.get("labels")[level];
  function select(level, step) {
    grid.level = level === null ? null : Math.min(facts.levels - 1, Math.max(0, level));
    grid.step = Math.min(facts.steps - 1, Math.max(0, step));
    el.dataset.level = grid.level ?? "";
    el.dataset.step = grid.step;
    grid.show(grid.step);
    grid.later();
    if (!voice.playing && !voice.waiting) voice.moveTo(grid.step * facts.step_s);
  }
  function describe() {
    if (grid.level === null) return `the moment at ${where(grid.step)}, all levels`;
    const entry = grid.code(grid.level, grid.step);
    const what = entry === undefined ? "" : entry < 0 ? ", no code" : `, entry ${entry}`;
    return `${named(grid.level)} at ${where(grid.step)}${what}`;
  }
  function hearSelected() {
    if (grid.level === null) return hear(`moment/${grid.step}`, describe());
    return hear(`cell/${grid.level}/${grid.step}`, describe());
  }
  const hearCell = (level, step) => {
    select(level, step);
    hearSelected();
  };
  const grid = new Grid({
    store,
    facts,
    el,
    colours: entryColours(huesOf(model), facts.levels, facts.entries),
    onCell: hearCell,
    onMoment: (step) => hearCell(null, step),
  });

  function playSource(source, toggles = true) {
    single?.pause();
    if (toggles && voice.playing && voice.source === source) return voice.pause();
    tell_("");
    return voice.play(source);
  }
  function choose(source) {
    // another source at the same place; does not start by itself
    if (voice.source !== source)
      compared = voice.source.startsWith("alone") ? compared : voice.source;
    if (voice.playing || voice.waiting) return playSource(source, false);
    voice.source = source;
    follow();
  }
  const compare = () => {
    if (facts.original)
      choose(
        voice.source === "original" ? (compared === "original" ? whole : compared) : "original",
      );
  };
  const toggle = () => (voice.playing || voice.waiting ? voice.pause() : playSource(voice.source));

  // --- names of the levels -------------------------------------------------------------------
  const showNames = levelNames({
    model,
    store,
    facts,
    el,
    names,
    play: playSource,
    tell: tell_,
    shown: () => follow(),
    renamed: () => {
      write.hidden = !facts.file;
    },
  });
  write.onclick = async () => {
    const answer = await store.act("write", {});
    if (answer.error) return tell_(answer.error, true);
    write.hidden = true;
    tell_(`the names are in ${answer.file}`);
  };

  // --- following what happens ----------------------------------------------------------------
  sources.forEach(({key, label, title}) => {
    const button = Object.assign(element("button", "distill-toggle", label), {title});
    button.dataset.source = key;
    button.onclick = () => choose(key);
    listen.append(button);
  });
  play.onclick = toggle;
  out.onclick = () => grid.zoom(-1);
  into.onclick = () => grid.zoom(1);
  let frames = 0,
    following = true;
  grid.scroller.addEventListener(
    "wheel",
    () => {
      following = false;
    },
    {passive: true},
  );
  function follow() {
    const going = voice.playing || voice.waiting;
    if (!voice.source.startsWith("alone")) listened = voice.source;
    else if (!going) voice.source = listened; // a row was heard: what is played next is everything again
    setText(play, going ? "❚❚" : "▶");
    if (el.dataset.status !== "error" || going)
      el.dataset.status = voice.playing ? "playing" : voice.waiting ? "fetching" : "ready";
    el.dataset.source = voice.source;
    listen
      .querySelectorAll("button")
      .forEach((b) => b.setAttribute("aria-pressed", b.dataset.source === voice.source));
    names.querySelectorAll("button").forEach((b) => {
      setText(b, going && b.dataset.source === voice.source ? "❚❚" : "▶");
    });
    if (voice.playing && voice.source.startsWith("alone") && voice.louder) {
      tell_(`${named(Number(voice.source.slice(6)))} alone, made ${voice.louder} dB louder`);
    }
    moved();
    if (going && !frames) frames = requestAnimationFrame(step);
    if (!going) following = true;
  }
  function step() {
    frames = 0;
    moved();
    if (voice.playing && following)
      grid.show(Math.min(facts.steps - 1, Math.floor(voice.seconds() / facts.step_s)));
    if (voice.playing || voice.waiting) frames = requestAnimationFrame(step);
  }
  function moved() {
    grid.moveHead(voice.seconds());
    setText(time, `${clock(voice.seconds(), 0.1)} / ${clock(facts.seconds, 0.1)}`);
  }

  const moves = {
    ArrowLeft: [0, -1],
    ArrowRight: [0, 1],
    ArrowUp: [-1, 0],
    ArrowDown: [1, 0],
    PageUp: [0, -32],
    PageDown: [0, 32],
    Home: [0, -Infinity],
    End: [0, Infinity],
  };
  el.onkeydown = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.tagName === "BUTTON" && [" ", "Enter"].includes(event.key))
      return event.stopPropagation();
    const move = moves[event.key],
      number = Number(event.key);
    const act = move
      ? () => {
          // The time above the first level is a row of its own: all levels of a moment.
          const level = (grid.level ?? -1) + move[0];
          select(level < 0 ? null : level, grid.step + move[1]);
          tell_(describe());
        }
      : ({Enter: hearSelected, " ": toggle, x: compare}[event.key] ??
        (number >= 1 && number <= facts.levels ? () => choose(`first-${number}`) : null));
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  };

  body.append(names, grid.scroller);
  const seen = () => {
    markDarkness(el);
    grid.fit();
    grid.later();
    moved();
  };
  const themed = onThemeChange(seen),
    sizes = new ResizeObserver(seen);
  sizes.observe(grid.scroller);
  model.on("change:labels", showNames);
  const view = {};
  store.views.add(view);
  showNames();
  whenLate(store.get("codes", "0"), () => tell_(LATE)).then(
    () => said.textContent === LATE && tell_(""),
  );
  tell_(facts.silent ? "this sound is silent: all that is heard of it are its entries" : "");
  return () => {
    themed();
    sizes.disconnect();
    model.off("change:labels", showNames);
    voice.close();
    single?.pause();
    cancelAnimationFrame(frames);
    store.views.delete(view);
  };
}

export default {initialize, render};
