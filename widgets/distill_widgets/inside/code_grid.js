// @ts-check
// The grid of codes on a canvas: only what is visible is drawn.
/** @import {CodesFacts} from "../page/messages" */
/** @import {Questions} from "../page/types" */
/** @import {Place} from "./grid_geometry" */

import {clock} from "../page/amounts.js";
import {element} from "../page/text.js";
import {themeColour} from "../page/theme.js";
import {contextOf} from "../sounds/paint.js";
import {CodeChunks} from "./code_chunks.js";
import {
  fittingWidth,
  heightOf,
  placeAt,
  ROW_PX,
  RULER_PX,
  seenSteps,
  tickOf,
  topOf,
  zoomed,
} from "./grid_geometry.js";

const LEAST_GAP_PX = 8; // narrower cells have no gap between them
const LEAST_TEXT_PX = 28; // narrower cells have no room for their entry
const ENTRY_INK = "#1a1a1a"; // all entries are light enough for it, in either theme

/**
 * @typedef {object} GridOptions
 * @property {Questions} store
 * @property {CodesFacts} facts
 * @property {string[][]} colours of (level, entry)
 * @property {HTMLElement} el the view; its `data-` says what is drawn
 * @property {(level: number | null, step: number) => void} onClick level null: all levels
 */

export class CodeGrid {
  /** @param {GridOptions} options */
  constructor({store, facts, colours, el, onClick}) {
    this.facts = facts;
    this.colours = colours;
    this.el = el;
    /** @type {Place & {step: number}} what is chosen */
    this.chosen = {level: 0, step: 0};
    /** @type {Place | null} */
    this.hover = null;
    this.width = 0; // of a cell; 0 until it is known how much room there is
    /** @type {number | null} */
    this.waiting = null;
    this.chunks = new CodeChunks(store, facts, (count) => {
      el.dataset.chunks = String(count);
      this.drawLater();
    });
    this.scroller = element("div", "distill-grid-scroll");
    this.space = element("div", "distill-grid-space");
    this.canvas = element("canvas", "distill-grid-canvas");
    this.head = element("div", "distill-playhead");
    this.tall = heightOf(facts.levels);
    this.layOut();
    this.listen(onClick);
  }

  layOut() {
    this.space.append(this.canvas, this.head);
    this.scroller.append(this.space);
    this.canvas.style.height = `${this.tall}px`;
    this.space.style.height = `${this.tall}px`;
  }

  /** @param {GridOptions["onClick"]} onClick */
  listen(onClick) {
    const {canvas} = this;
    this.scroller.onscroll = () => this.drawLater();
    canvas.onclick = (event) => {
      const {level, step} = this.at(event);
      if (step !== null) onClick(level, step);
    };
    canvas.onpointermove = (event) => this.point(this.at(event));
    canvas.onpointerleave = () => this.point(null);
  }

  /** @param {Place | null} place */
  point(place) {
    this.hover = place;
    this.drawLater();
  }

  /** @param {MouseEvent} event */
  at(event) {
    const {levels, steps} = this.facts;
    const x = event.offsetX + this.scroller.scrollLeft;
    return placeAt(x, event.offsetY, this.width, levels, steps);
  }

  /** @param {number | null} level @param {number} step both are brought into the grid */
  choose(level, step) {
    const {levels, steps} = this.facts;
    this.chosen = {
      level: level === null ? null : Math.min(levels - 1, Math.max(0, level)),
      step: Math.min(steps - 1, Math.max(0, step)),
    };
    this.show(this.chosen.step);
    this.drawLater();
  }

  // --- how wide it is, and what of it is seen -------------------------------------------------

  /** Chooses a width once there is room. */
  fit() {
    const seen = this.scroller.clientWidth;
    if (seen && !this.width) this.setWidth(fittingWidth(seen, this.facts.steps));
  }

  /** @param {number} by above 0 for wider cells */
  zoom(by) {
    const width = zoomed(this.width, by, this.facts.steps);
    if (width !== this.width) this.setWidth(width);
  }

  /** @param {number} width what is in the middle stays there */
  setWidth(width) {
    const {scroller} = this;
    const half = scroller.clientWidth / 2;
    const middle = this.width ? (scroller.scrollLeft + half) / this.width : 0;
    this.width = width;
    this.space.style.width = `${Math.max(1, Math.round(width * this.facts.steps))}px`;
    scroller.scrollLeft = middle * width - half;
    this.el.dataset.cellPx = String(width);
    this.drawLater();
  }

  /** @param {number} step scrolled to where it is not seen */
  show(step) {
    const {scroller} = this;
    const left = step * this.width;
    const seen = scroller.clientWidth;
    const isSeen = left >= scroller.scrollLeft && left + this.width <= scroller.scrollLeft + seen;
    if (!isSeen) scroller.scrollLeft = Math.max(0, left - seen / 4);
  }

  /** @param {number} seconds */
  moveHead(seconds) {
    const step = seconds / this.facts.step_s;
    this.head.style.transform = `translateX(${(step * this.width).toFixed(1)}px)`;
    this.el.dataset.playhead = step.toFixed(2);
  }

  // --- drawing --------------------------------------------------------------------------------

  drawLater() {
    this.waiting ??= requestAnimationFrame(() => {
      this.waiting = null;
      const start = performance.now();
      this.draw();
      this.el.dataset.drawMs = (performance.now() - start).toFixed(2);
    });
  }

  draw() {
    const {facts, width, scroller} = this;
    const wide = scroller.clientWidth;
    if (!wide || !width) return;
    const seen = Math.min(wide, Math.ceil(width * facts.steps));
    const left = scroller.scrollLeft;
    const [first, last] = seenSteps(left, seen, width, facts.steps);
    const draw = this.clear(seen);
    const drawn = this.drawCells(draw, left, first, last);
    if (width >= LEAST_TEXT_PX) this.writeEntries(draw, left, first, last);
    this.drawRuler(draw, left, seen);
    this.outline(draw, left, this.chosen, "var(--distill-ink)", 2);
    if (this.hover) this.outline(draw, left, this.hover, "var(--distill-muted)", 1);
    Object.assign(this.el.dataset, {drawn, first, last});
    this.fetchBeside(first, last);
  }

  /** @param {number} seen */
  clear(seen) {
    const {canvas, tall} = this;
    const ratio = globalThis.devicePixelRatio || 1;
    const size = [Math.round(seen * ratio), Math.round(tall * ratio)];
    if (canvas.width !== size[0] || canvas.height !== size[1]) {
      [canvas.width, canvas.height] = size;
      canvas.style.width = `${seen}px`;
    }
    const draw = contextOf(canvas);
    draw.setTransform(ratio, 0, 0, ratio, 0, 0);
    draw.clearRect(0, 0, seen, tall);
    return draw;
  }

  /**
   * Calls back for every code that is seen and known.
   *
   * @param {number} first
   * @param {number} last
   * @param {(level: number, step: number, entry: number) => void} act
   */
  eachCode(first, last, act) {
    for (let level = 0; level < this.facts.levels; level += 1) {
      for (let step = first; step <= last; step += 1) {
        const entry = this.chunks.code(level, step);
        if (entry !== undefined && entry >= 0) act(level, step, entry); // else the ground shows
      }
    }
  }

  /**
   * @param {CanvasRenderingContext2D} draw
   * @param {number} left
   * @param {number} first
   * @param {number} last
   * @returns how many
   */
  drawCells(draw, left, first, last) {
    const {width, colours} = this;
    const wide = width - (width >= LEAST_GAP_PX ? 1 : 0);
    let drawn = 0;
    this.eachCode(first, last, (level, step, entry) => {
      draw.fillStyle = colours[level][entry];
      draw.fillRect(step * width - left, topOf(level) + 1, wide, ROW_PX - 2);
      drawn += 1;
    });
    return drawn;
  }

  /**
   * @param {CanvasRenderingContext2D} draw
   * @param {number} left
   * @param {number} first
   * @param {number} last
   */
  writeEntries(draw, left, first, last) {
    this.setFont(draw, "center");
    draw.fillStyle = ENTRY_INK;
    this.eachCode(first, last, (level, step, entry) => {
      draw.fillText(String(entry), (step + 0.5) * this.width - left, topOf(level) + ROW_PX / 2);
    });
  }

  /** @param {CanvasRenderingContext2D} draw @param {CanvasTextAlign} align */
  setFont(draw, align) {
    draw.font = `11px ${getComputedStyle(this.el).fontFamily}`;
    draw.textAlign = align;
    draw.textBaseline = "middle";
  }

  /**
   * @param {CanvasRenderingContext2D} draw
   * @param {number} left
   * @param {number} seen
   */
  drawRuler(draw, left, seen) {
    const perSecond = this.width / this.facts.step_s;
    const tick = tickOf(perSecond);
    this.setFont(draw, "left");
    draw.fillStyle = themeColour(this.el, "var(--distill-muted)");
    let time = Math.floor(left / perSecond / tick) * tick;
    for (; time * perSecond <= left + seen; time += tick) {
      const x = time * perSecond - left;
      draw.fillRect(x, RULER_PX - 8, 1, 6);
      draw.fillText(clock(time, tick), x + 4, RULER_PX / 2 - 1);
    }
  }

  /**
   * Outlines a cell, or a whole column where no level is meant.
   *
   * @param {CanvasRenderingContext2D} draw
   * @param {number} left
   * @param {Place} place
   * @param {string} colour
   * @param {number} line
   */
  outline(draw, left, {level, step}, colour, line) {
    if (step === null) return;
    const top = level === null ? 1 : topOf(level);
    const tall = level === null ? this.tall - 2 : ROW_PX;
    draw.strokeStyle = themeColour(this.el, colour);
    draw.lineWidth = line;
    draw.strokeRect(step * this.width - left - 0.5, top + 0.5, this.width, tall - 1);
  }

  /**
   * Fetches what is scrolled to next.
   *
   * @param {number} first
   * @param {number} last
   */
  fetchBeside(first, last) {
    const {chunk_steps: size, steps} = this.facts;
    for (const beside of [first - size / 4, last + size / 4]) {
      if (beside >= 0 && beside < steps) this.chunks.code(0, Math.floor(beside));
    }
  }
}
