// @ts-check
// One entry of an atlas: what it looks like, how it is used, what is like it, where it is heard.
/** @import {EntryFacts, Moment} from "../page/messages" */
/** @import {Answer, Ask} from "../page/types" */

import {fixed} from "../page/amounts.js";
import {numbers} from "../page/buffers.js";
import {element} from "../page/text.js";
import {paintMel} from "../sounds/paint.js";
import {momentKey} from "../sounds/sound_keys.js";
import {chips} from "./choices.js";

const LEAST_SHARE = 0.001;
const NOTHING_CHOSEN = "Click an entry to hear it, and where your sounds come nearest to it.";

/**
 * @typedef {object} PanelOptions
 * @property {HTMLElement} el the view; its `data-` says which entry is shown
 * @property {string[]} labels of the levels
 * @property {{level: number, entry: number | null}} chosen
 * @property {Ask} get
 * @property {(entry: number) => void} choose
 * @property {(key: string, text: string) => void} play
 * @property {(entry: number) => void} playEntry
 * @property {(text: string, isError?: boolean) => void} report
 * @property {() => boolean} isGone
 */

/** @param {EntryFacts} known */
function useOf({uses, share}) {
  if (!uses) return "never used in these files";
  const percent = share < LEAST_SHARE ? "< 0.1" : (100 * share).toFixed(1);
  return `used ${uses.toLocaleString()} × (${percent} %)`;
}

export class EntryPanel {
  /** @param {PanelOptions} options */
  constructor(options) {
    this.options = options;
    this.el = element("div", "distill-explorer-side");
  }

  async show() {
    const {el, chosen, get, report, isGone} = this.options;
    const {level, entry} = chosen;
    el.dataset.level = String(level);
    el.dataset.entry = String(entry ?? "");
    if (entry === null) {
      this.el.replaceChildren(element("p", "distill-quiet", NOTHING_CHOSEN));
      return;
    }
    try {
      const answer = await get("entry", `${level}/${entry}`);
      if (level !== chosen.level || entry !== chosen.entry || isGone()) return;
      this.showEntry(level, entry, answer);
    } catch (error) {
      report(String(Object(error).message ?? error), true);
    }
  }

  /** @param {number} level @param {number} entry @param {Answer<EntryFacts>} known */
  showEntry(level, entry, known) {
    const {el, choose} = this.options;
    const picture = Object.assign(element("canvas", "distill-mel"), {title: "its mel picture"});
    const sound = `${fixed(known.brightness)} Hz, ${fixed(known.loudness)} dB alone`;
    const near = known.near.map((/** @type {number} */ one) => /** @type {[number]} */ ([one]));
    const parts = [
      this.headOf(level, entry),
      picture,
      element("p", "", `${useOf(known)} · ${sound}`),
      chips("nearest", near, choose),
    ];
    if (known.followers.length) parts.push(this.followersOf(known));
    this.el.replaceChildren(...parts, this.momentsOf(level, entry, known.moments));
    paintMel(picture, numbers(known.buffers[0], Uint8Array), known.shape, el);
    el.dataset.moments = String(known.moments.length);
  }

  /** @param {number} level @param {number} entry */
  headOf(level, entry) {
    const head = element("div", "distill-entry-head");
    const play = element("button", "distill-play", "▶");
    play.setAttribute("aria-label", "play this entry");
    play.onclick = () => this.options.playEntry(entry);
    head.append(play, element("b", "", `${this.options.labels[level]}, entry ${entry}`));
    return head;
  }

  /** @param {EntryFacts} known */
  followersOf({followers}) {
    /** @type {[number, string][]} */
    const shares = followers.map(([one, share]) => [one, `${one} · ${Math.round(100 * share)} %`]);
    return chips("then", shares, this.options.choose);
  }

  /** @param {number} level @param {number} entry @param {Moment[]} moments */
  momentsOf(level, entry, moments) {
    const list = element("div", "distill-moments");
    const title = moments.length ? "heard in" : "no moments: it is never used";
    list.append(element("div", "distill-quiet", title));
    list.append(
      ...moments.map((one, number) => this.momentRow(one, momentKey(level, entry, number))),
    );
    return list;
  }

  /** @param {Moment} moment @param {string} key */
  momentRow(moment, key) {
    const row = element("div", "distill-moment");
    const button = element("button", "distill-play", "▶");
    const name = element("span", "distill-moment-name", moment.name);
    const start = `${fixed(moment.start_s, 2)} s`;
    const text = `${moment.name} at ${start}`;
    button.setAttribute("aria-label", `play ${text}`);
    button.onclick = () => this.options.play(key, text);
    name.title = text;
    row.append(button, name, element("span", "distill-time", start));
    return row;
  }
}
