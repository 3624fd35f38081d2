// @ts-check
// The codes of a sound in chunks: only what is looked at is fetched.
/** @import {Questions} from "../page/types" */
/** @import {CodesFacts} from "../page/messages" */

import {numbers} from "../page/buffers.js";

export class CodeChunks {
  /**
   * @param {Questions} store
   * @param {CodesFacts} facts
   * @param {(count: number) => void} arrived gets the count of chunks there are
   */
  constructor(store, facts, arrived) {
    this.store = store;
    this.facts = facts;
    this.arrived = arrived;
    /** @type {Map<number, Int16Array | Int32Array | null>} null: on its way */
    this.chunks = new Map();
  }

  /**
   * The code at a place: undefined while it is on its way, below 0 for none.
   *
   * @param {number} level
   * @param {number} step
   */
  code(level, step) {
    const {chunk_steps: size, levels} = this.facts;
    const number = Math.floor(step / size);
    const chunk = this.chunks.get(number);
    if (chunk === undefined) this.fetch(number);
    if (!chunk) return undefined;
    return chunk[level * (chunk.length / levels) + (step - number * size)];
  }

  /** @param {number} number */
  async fetch(number) {
    if (number * this.facts.chunk_steps >= this.facts.steps) return;
    this.chunks.set(number, null);
    const answer = await this.store.get("codes", String(number));
    if (answer.error) return;
    const [view] = answer.buffers;
    this.chunks.set(
      number,
      this.facts.bytes === 2 ? numbers(view, Int16Array) : numbers(view, Int32Array),
    );
    this.arrived([...this.chunks.values()].filter(Boolean).length);
  }
}
