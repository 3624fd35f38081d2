// @ts-check
// An atlas: pages to turn, a level to choose, and one entry that is looked at and heard.

import {element, markDarkness, onThemeChange, setText, storeOf} from "../page/common.js";
import {askForPlotly, plainLayout, plot, plotlyOf} from "../page/plotly_page.js";
import {LATE, whenLate} from "../page/questions.js";
import {loaded, openSounds} from "../sounds/player.js";
import {choice, menu, openPanel} from "./entry_panel.js";
import {
  COLOURINGS,
  filesPicture,
  levelOf,
  mapPicture,
  numbers,
  pairsPicture,
  rankPicture,
  rowsOf,
  usagePicture,
} from "./explorer_pictures.js";

const TABS = [
  ["map", "map"],
  ["usage", "use"],
  ["pairs", "together"],
  ["files", "files"],
];
const FEW_DEAD = 48;

function initialize({model}) {
  const store = openSounds(model);
  const receive = (message, buffers) => {
    if (message.type === "plotly")
      plotlyOf(model.get("plotly_version")).give(new Blob([buffers[0]]), "kernel");
  };
  model.on("msg:custom", receive);
  const close = store.close;
  Object.assign(store, {
    tab: "map",
    level: 0,
    entry: null,
    colouring: "brightness",
    method: "pca",
    a: 0,
    b: "next",
  });
  return () => {
    model.off("msg:custom", receive);
    close();
  };
}

function render({model, el}) {
  const store = storeOf(model),
    facts = model.get("facts"),
    labels = facts.labels;
  let gone = false,
    plotly = null,
    single = null,
    turn = 0,
    names = [],
    drawing = 0;
  el.classList.add("distill", "distill-explorer");
  el.tabIndex = 0;
  el.dataset.lmSuppressShortcuts = "true";
  markDarkness(el);
  const bar = element("div", "distill-chart-bar"),
    tools = element("span", "distill-chart-tools");
  const line = element("div", "distill-codes-line"),
    body = element("div", "distill-explorer-body");
  const main = element("div", "distill-explorer-main"),
    side = element("div", "distill-explorer-side");
  const said = element("div", "distill-said"),
    place = element("span");
  said.setAttribute("role", "status");
  bar.append(element("span", "distill-chart-title", model.get("name")));
  body.append(main, side);
  el.append(bar, line, body, said, place);

  const say = (text, bad = false) => {
    setText(said, text);
    said.classList.toggle("distill-bad-news", bad);
    if (bad) el.dataset.error = text;
    else delete el.dataset.error;
  };
  const get = async (type, key) => {
    const answer = await store.get(type, key);
    if (answer.error) throw new Error(answer.error);
    return answer;
  };

  // --- what is heard -------------------------------------------------------------------------
  async function hear(key, text) {
    const began = performance.now(),
      mine = (turn += 1);
    single?.pause();
    el.dataset.asked = key;
    say(text);
    try {
      const {audio, louder} = await whenLate(
        loaded(store, key),
        () => mine === turn && say(`${text} · ${LATE}`),
      );
      if (mine !== turn || gone) return;
      single?.remove();
      single = audio;
      place.append(audio);
      await audio.play();
      Object.assign(el.dataset, {
        heard: key,
        duration: audio.duration,
        clickMs: (performance.now() - began).toFixed(0),
      });
      say(louder ? `${text} · made ${louder} dB louder` : text);
    } catch (error) {
      if (mine === turn) say(error.message, true);
    }
  }
  const hearEntry = (entry) =>
    hear(`entry/${store.level}/${entry}`, `${labels[store.level]}, entry ${entry}`);
  function choose(entry, level = store.level) {
    const other = level !== store.level;
    Object.assign(store, {entry, level});
    hearEntry(entry);
    showSide();
    if (other) showBar();
    if (store.tab === "map") draw();
  }

  const panel = openPanel({
    store,
    labels,
    side,
    el,
    get,
    choose,
    hear,
    hearEntry,
    say,
    isGone: () => gone,
  });
  const {chips} = panel,
    showSide = panel.show;

  // --- pages -----------------------------------------------------------------------------------
  const level = async () => levelOf(await get("level", String(store.level)));
  const boxes = {};
  function box(name, height) {
    boxes[name] ??= element("div", "distill-chart-box");
    boxes[name].style.height = `${height}px`;
    return boxes[name];
  }
  async function paint(name, {data, layout}, height, onClick) {
    const into = box(name, height),
      first = !into._fullLayout;
    await plot(plotly, into, data, {...plainLayout(el), ...layout});
    if (first && onClick) into.on("plotly_click", (event) => onClick(event.points[0]));
  }
  async function usage() {
    const answer = await get("usage", "");
    const [order, counts] = answer.buffers.map((buffer) =>
      rowsOf(numbers(buffer, Int32Array), facts.entries),
    );
    return {order, counts};
  }
  const pages = {
    async map() {
      main.replaceChildren(box("map", 460));
      say(store.method === "umap" ? "UMAP is making a map: some seconds the first time …" : "");
      const [known, answer] = [await level(), await get("map", `${store.level}/${store.method}`)];
      if (!names.length) ({names} = await get("names", ""));
      if (said.textContent.startsWith("UMAP")) say("");
      const places = numbers(answer.buffers[0], Float32Array);
      return () =>
        paint(
          "map",
          mapPicture(el, known, places, store.colouring, names, store.entry),
          460,
          (point) => choose(point.customdata),
        );
    },
    async usage() {
      const known = await level(),
        {order, counts} = await usage();
      const dead = element("div", "distill-dead"),
        some = known.dead.slice(0, FEW_DEAD);
      if (some.length) {
        const more = known.dead.length - some.length;
        dead.append(
          chips(
            `${labels[store.level]}: ${known.dead.length} of ${facts.entries} never used`,
            some.map((e) => [e]),
          ),
        );
        if (more) dead.append(element("span", "distill-quiet", ` and ${more} more`));
      } else
        dead.append(element("p", "distill-quiet", `${labels[store.level]}: every entry is used`));
      const height = 70 + 36 * facts.levels;
      main.replaceChildren(box("usage", height), box("rank", 280), dead);
      return async () => {
        await paint("usage", usagePicture(el, labels, order, counts), height, (point) =>
          choose(point.text, point.pointIndex[0]),
        );
        await paint("rank", rankPicture(el, labels, counts, facts.colours), 280);
      };
    },
    async pairs() {
      const answer = await get("pairs", `${store.a}/${store.b}`),
        next = store.b === "next";
      const [row, column] = [
        labels[store.a],
        next ? `${labels[store.a]} a step later` : labels[store.b],
      ];
      const most = element("div", "distill-dead");
      most.append(
        element(
          "span",
          "distill-quiet",
          next ? "most often one after the other: " : "most often together: ",
        ),
      );
      most.append(
        answer.most.map(([a, b, n]) => `${a} ${next ? "→" : "+"} ${b} (${n} ×)`).join(", ") ||
          "nothing",
      );
      main.replaceChildren(box("pairs", 460), most);
      return () =>
        paint("pairs", pairsPicture(el, answer, row, column), 460, (point) =>
          choose(Number(point.y), store.a),
        );
    },
    async files() {
      const answer = await get("files", "");
      const more = facts.files - answer.names.length;
      main.replaceChildren(
        box("files", 520),
        element(
          "p",
          "distill-quiet",
          "1: two files use the same entries equally often; 0: no entry in common" +
            (more ? ` · the first ${answer.names.length} of ${facts.files} files` : ""),
        ),
      );
      return () => paint("files", filesPicture(el, answer), 520);
    },
  };
  async function draw() {
    const mine = (drawing += 1);
    if (!plotly || !el.clientWidth) return;
    try {
      const draws = await whenLate(
        pages[store.tab](),
        () => mine === drawing && !said.textContent && say(LATE),
      );
      if (said.textContent === LATE) say("");
      if (mine !== drawing || gone) return;
      await draws();
      el.dataset.drawn = [
        store.tab,
        store.level,
        store.tab === "map" ? store.method : "",
        store.colouring,
      ].join("/");
    } catch (error) {
      if (mine === drawing) say(error.message, true);
    }
  }
  function set(change) {
    Object.assign(store, change);
    if ("level" in change) store.entry = null;
    say("");
    showBar();
    if ("level" in change) showSide();
    draw();
  }
  function showBar() {
    const {tab} = store;
    el.dataset.tab = tab;
    side.hidden = tab === "files";
    line.replaceChildren(
      choice(TABS, tab, (key) => set({tab: key}), "page"),
      tools,
    );
    tools.replaceChildren();
    const levels = labels.map((label, number) => [number, label]);
    if (tab === "map") {
      tools.append(
        menu(
          Object.entries(COLOURINGS).map(([key, {label}]) => [key, label]),
          store.colouring,
          (key) => set({colouring: key}),
          "colour",
        ),
      );
      if (facts.methods.length > 1)
        tools.append(
          choice(
            facts.methods.map((m) => [m, m.toUpperCase()]),
            store.method,
            (key) => set({method: key}),
            "kind of map",
          ),
        );
    }
    if (tab === "map" || tab === "usage")
      tools.append(choice(levels, store.level, (key) => set({level: key}), "level"));
    if (tab === "pairs") {
      const others = [["next", "its next step"], ...levels];
      tools.append(menu(levels, store.a, (key) => set({a: Number(key)}), "entries of"));
      tools.append(
        menu(others, store.b, (key) => set({b: key === "next" ? key : Number(key)}), "with"),
      );
    }
  }

  // --- keys ----------------------------------------------------------------------------------
  async function walk(by) {
    // through the entries, the most used first
    const {order} = await usage(),
      row = order[store.level],
      at = row.indexOf(store.entry);
    choose(row[(at + by + row.length) % row.length]);
  }
  el.onkeydown = (event) => {
    if (event.target !== el || event.ctrlKey || event.metaKey || event.altKey) return;
    const again = () => store.entry !== null && hearEntry(store.entry);
    const act = {
      ArrowRight: () => walk(1),
      ArrowLeft: () => walk(store.entry === null ? 0 : -1),
      Enter: again,
      " ": again,
      ArrowDown: () => set({level: (store.level + 1) % facts.levels}),
      ArrowUp: () => set({level: (store.level + facts.levels - 1) % facts.levels}),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  };

  showBar();
  showSide();
  const shared = plotlyOf(model.get("plotly_version"));
  askForPlotly(model, shared, () => gone);
  shared.loaded.then((made) => {
    plotly = made;
    el.dataset.plotly = shared.source;
    if (!gone) draw();
  });
  const themed = onThemeChange(() => {
    markDarkness(el);
    showSide();
    draw();
  });
  const sizes = new ResizeObserver(() => {
    const drawn = Object.values(boxes).filter((b) => b.isConnected && b._fullLayout);
    if (!drawn.length) return void draw();
    drawn.forEach(
      (b) =>
        Math.abs(b._fullLayout.width - b.clientWidth) > 1 &&
        b.clientWidth &&
        plotly.Plots.resize(b),
    );
  });
  sizes.observe(main);
  const view = {};
  store.views.add(view);
  return () => {
    gone = true;
    themed();
    sizes.disconnect();
    single?.pause();
    Object.values(boxes).forEach((b) => plotly?.purge(b));
    store.views.delete(view);
  };
}

export default {initialize, render};
