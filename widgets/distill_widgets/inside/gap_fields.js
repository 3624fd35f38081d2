// @ts-check
// Two moments of a sound, between which it is to be made anew.

import {element} from "../page/text.js";

export class GapFields {
  /**
   * The middle third, until somebody types.
   *
   * @param {string} name of the sound
   * @param {number} seconds its length
   */
  constructor(name, seconds) {
    this.enter = () => {};
    this.from = this.field(`from, in seconds of ${name}`, seconds / 3);
    this.to = this.field(`to, in seconds of ${name}`, (2 * seconds) / 3);
    this.el = element("span", "distill-gap");
    const [from, to, unit] = ["from ", " to ", " s"].map((text) => element("span", "", text));
    this.el.append(from, this.from, to, this.to, unit);
  }

  /** @param {string} label for who does not see it @param {number} value */
  field(label, value) {
    const input = element("input");
    Object.assign(input, {type: "number", min: "0", step: "any", value: value.toFixed(2)});
    input.setAttribute("aria-label", label);
    input.onkeydown = (event) => {
      event.stopPropagation(); // the notebook has its own meaning for keys
      if (event.key === "Enter") this.enter();
    };
    return input;
  }

  /** What the kernel is asked: null where no number stands. */
  get asked() {
    const [from_s, to_s] = [this.from, this.to].map(({value}) =>
      value === "" || !Number.isFinite(Number(value)) ? null : Number(value),
    );
    return {from_s, to_s};
  }
}
