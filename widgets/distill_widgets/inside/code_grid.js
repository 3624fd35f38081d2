// @ts-check
// The grid of codes on a canvas: only what is visible is drawn, and only what was visible is fetched.

import {oklch} from "../page/colours.js";
import {element, themeColour} from "../page/common.js";

const ROW_PX = 34,
  RULER_PX = 24,
  WIDTHS_PX = [2, 4, 8, 14, 28, 44];
const WIDEST_PX = 12e6; // browsers stop laying out somewhat above that
const TICKS_S = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600];
const TICK_PX = 70;

// Neighbours on the circle differ in lightness too.
export function entryColours(hues, levels, entries) {
  return Array.from({length: levels}, (_, level) =>
    Array.from({length: entries}, (_, entry) => {
      const place = hues[level * entries + entry];
      return oklch([0.64, 0.73, 0.82][place % 3], 0.125, place / entries);
    }),
  );
}

export function clock(seconds, tick) {
  const minutes = Math.floor(seconds / 60),
    digits = tick < 0.1 ? 2 : tick < 1 ? 1 : 0;
  const rest = (seconds - 60 * minutes).toFixed(digits);
  return `${minutes}:${rest.padStart(digits ? 3 + digits : 2, "0")}`;
}

export class Grid {
  constructor({store, facts, colours, el, onCell, onMoment}) {
    Object.assign(this, {
      store,
      facts,
      colours,
      el,
      chunks: new Map(),
      level: 0,
      step: 0,
      hover: null,
    });
    this.scroller = element("div", "distill-grid-scroll");
    this.space = element("div", "distill-grid-space");
    this.canvas = element("canvas", "distill-grid-canvas");
    this.head = element("div", "distill-playhead");
    this.space.append(this.canvas, this.head);
    this.scroller.append(this.space);
    this.tall = RULER_PX + facts.levels * ROW_PX;
    this.canvas.style.height = this.space.style.height = `${this.tall}px`;
    this.width = 0;
    this.scroller.onscroll = () => this.later();
    this.canvas.onclick = (event) => {
      const {level, step} = this.at(event);
      if (step === null) return;
      if (level === null) onMoment(step);
      else onCell(level, step);
    };
    this.canvas.onpointermove = (event) => {
      this.hover = this.at(event);
      this.later();
    };
    this.canvas.onpointerleave = () => {
      this.hover = null;
      this.later();
    };
  }

  at(event) {
    const step = Math.floor((event.offsetX + this.scroller.scrollLeft) / this.width);
    const level = Math.floor((event.offsetY - RULER_PX) / ROW_PX);
    return {
      level: level >= 0 && level < this.facts.levels ? level : null,
      step: step >= 0 && step < this.facts.steps ? step : null,
    };
  }

  // The widest cells that show a short sound whole; wide enough to hit where it is long.
  fit() {
    const seen = this.scroller.clientWidth;
    if (!seen || this.width) return;
    const whole = Math.floor(seen / this.facts.steps),
      usual = Math.min(14, this.widths().at(-1));
    this.setWidth(whole >= 9 ? Math.min(whole, 32) : usual);
  }

  widths() {
    const fit = WIDTHS_PX.filter((width) => width * this.facts.steps <= WIDEST_PX);
    return fit.length ? fit : [WIDEST_PX / this.facts.steps];
  }

  setWidth(width) {
    const middle = this.width
      ? (this.scroller.scrollLeft + this.scroller.clientWidth / 2) / this.width
      : 0;
    this.width = width;
    this.space.style.width = `${Math.max(1, Math.round(width * this.facts.steps))}px`;
    this.scroller.scrollLeft = middle * width - this.scroller.clientWidth / 2;
    this.el.dataset.cellPx = width;
    this.later();
  }

  zoom(by) {
    const widths = this.widths();
    const next =
      by > 0 ? widths.find((w) => w > this.width) : widths.findLast((w) => w < this.width);
    if (next) this.setWidth(next);
  }

  // The code at a place: undefined while it is on its way.
  code(level, step) {
    const size = this.facts.chunk_steps,
      number = Math.floor(step / size),
      chunk = this.chunks.get(number);
    if (chunk === undefined) this.fetch(number);
    if (!chunk) return undefined;
    const steps = chunk.length / this.facts.levels;
    return chunk[level * steps + (step - number * size)];
  }

  async fetch(number) {
    if (number * this.facts.chunk_steps >= this.facts.steps) return;
    this.chunks.set(number, null);
    const answer = await this.store.get("codes", String(number));
    if (answer.error) return;
    const bytes = answer.buffers[0];
    const copy = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    this.chunks.set(number, this.facts.bytes === 2 ? new Int16Array(copy) : new Int32Array(copy));
    this.el.dataset.chunks = [...this.chunks.values()].filter(Boolean).length;
    this.later();
  }

  show(step) {
    const left = step * this.width,
      seen = this.scroller.clientWidth;
    if (left < this.scroller.scrollLeft || left + this.width > this.scroller.scrollLeft + seen) {
      this.scroller.scrollLeft = Math.max(0, left - seen / 4);
    }
  }

  moveHead(seconds) {
    const step = seconds / this.facts.step_s;
    this.head.style.transform = `translateX(${(step * this.width).toFixed(1)}px)`;
    this.el.dataset.playhead = step.toFixed(2);
  }

  later() {
    this.waiting ??= requestAnimationFrame(() => {
      this.waiting = null;
      const start = performance.now();
      this.draw();
      this.el.dataset.drawMs = (performance.now() - start).toFixed(2);
    });
  }

  draw() {
    const wide = this.scroller.clientWidth,
      {facts, width} = this;
    if (!wide || !width) return;
    const ratio = globalThis.devicePixelRatio || 1,
      seen = Math.min(wide, Math.ceil(width * facts.steps));
    const size = [Math.round(seen * ratio), Math.round(this.tall * ratio)];
    if (this.canvas.width !== size[0] || this.canvas.height !== size[1]) {
      [this.canvas.width, this.canvas.height] = size;
      this.canvas.style.width = `${seen}px`;
    }
    const draw = this.canvas.getContext("2d"),
      left = this.scroller.scrollLeft;
    const first = Math.floor(left / width),
      last = Math.min(facts.steps - 1, Math.floor((left + seen) / width));
    draw.setTransform(ratio, 0, 0, ratio, 0, 0);
    draw.clearRect(0, 0, seen, this.tall);
    const gap = width >= 8 ? 1 : 0;
    let drawn = 0;
    for (let level = 0; level < facts.levels; level += 1) {
      const top = RULER_PX + level * ROW_PX;
      for (let step = first; step <= last; step += 1) {
        const entry = this.code(level, step);
        if (entry === undefined || entry < 0) continue; // on its way, or no code: the ground shows
        draw.fillStyle = this.colours[level][entry];
        draw.fillRect(step * width - left, top + 1, width - gap, ROW_PX - 2);
        drawn += 1;
      }
    }
    if (width >= 28) this.writeEntries(draw, left, first, last);
    this.drawRuler(draw, left, seen);
    this.outline(draw, left, {level: this.level, step: this.step}, "var(--distill-ink)", 2);
    if (this.hover?.step != null) this.outline(draw, left, this.hover, "var(--distill-muted)", 1);
    Object.assign(this.el.dataset, {drawn, first, last});
    for (const beside of [first - facts.chunk_steps / 4, last + facts.chunk_steps / 4]) {
      if (beside >= 0 && beside < facts.steps) this.code(0, Math.floor(beside)); // what is scrolled to next
    }
  }

  writeEntries(draw, left, first, last) {
    draw.font = `11px ${getComputedStyle(this.el).fontFamily}`;
    draw.textAlign = "center";
    draw.textBaseline = "middle";
    draw.fillStyle = "#1a1a1a"; // all entries are light enough for it, in either theme
    for (let level = 0; level < this.facts.levels; level += 1) {
      for (let step = first; step <= last; step += 1) {
        const entry = this.code(level, step);
        if (entry >= 0)
          draw.fillText(entry, (step + 0.5) * this.width - left, RULER_PX + (level + 0.5) * ROW_PX);
      }
    }
  }

  drawRuler(draw, left, seen) {
    const perSecond = this.width / this.facts.step_s,
      tick = TICKS_S.find((t) => t * perSecond >= TICK_PX) ?? TICKS_S.at(-1);
    draw.font = `11px ${getComputedStyle(this.el).fontFamily}`;
    draw.textAlign = "left";
    draw.textBaseline = "middle";
    draw.fillStyle = themeColour(this.el, "var(--distill-muted)");
    for (
      let t = Math.floor(left / perSecond / tick) * tick;
      t * perSecond <= left + seen;
      t += tick
    ) {
      const x = t * perSecond - left;
      draw.fillRect(x, RULER_PX - 8, 1, 6);
      draw.fillText(clock(t, tick), x + 4, RULER_PX / 2 - 1);
    }
  }

  // A cell, or a whole column where no level is meant.
  outline(draw, left, {level, step}, colour, line) {
    if (step === null) return;
    const top = level === null ? 1 : RULER_PX + level * ROW_PX,
      tall = level === null ? this.tall - 2 : ROW_PX;
    draw.strokeStyle = themeColour(this.el, colour);
    draw.lineWidth = line;
    draw.strokeRect(step * this.width - left - 0.5, top + 0.5, this.width, tall - 1);
  }
}
