// @ts-check
// A recording on a page: its samples as they come, and the part of them that is kept.

const COLUMNS = 240;
const BYTE = 127;

export class Take {
  /** @param {number} rate in Hz @param {number} longestS where it ends by itself */
  constructor(rate, longestS) {
    this.rate = rate;
    this.most = Math.floor(rate * longestS);
    /** @type {Float32Array[]} */
    this.blocks = [];
    this.length = 0;
    this.from = 0; // of the part that is kept, in samples
    this.to = 0;
  }

  get isFull() {
    return this.length >= this.most;
  }

  get seconds() {
    return this.length / this.rate;
  }

  /**
   * Adds samples; returns how loud they are at most.
   *
   * @param {Float32Array} samples
   */
  add(samples) {
    const taken = samples.subarray(0, this.most - this.length);
    this.blocks.push(taken);
    this.length += taken.length;
    this.to = this.length;
    return taken.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0);
  }

  /**
   * Keeps a part; ends that have changed places are put right.
   *
   * @param {number} one share of the whole, in [0, 1]
   * @param {number} other
   */
  trim(one, other) {
    const ends = [one, other].map((share) => Math.round(share * this.length));
    this.from = Math.max(0, Math.min(...ends));
    this.to = Math.min(this.length, Math.max(...ends));
  }

  /** The samples of the part that is kept. */
  get kept() {
    if (this.blocks.length > 1) {
      const whole = new Float32Array(this.length);
      let at = 0;
      for (const block of this.blocks) {
        whole.set(block, at);
        at += block.length;
      }
      this.blocks = [whole];
    }
    return (this.blocks[0] ?? new Float32Array()).subarray(this.from, this.to);
  }

  /** Least of each column of that part, then the greatest, as `paintEnvelope` takes them. */
  get outline() {
    const {kept} = this;
    const peaks = new Int8Array(2 * COLUMNS);
    kept.forEach((sample, i) => {
      const column = Math.floor((i * COLUMNS) / kept.length);
      const value = Math.round(BYTE * Math.max(-1, Math.min(1, sample)));
      peaks[column] = Math.min(peaks[column], value);
      peaks[COLUMNS + column] = Math.max(peaks[COLUMNS + column], value);
    });
    return peaks;
  }

  /** That part as a file of raw samples. */
  /** @param {string} name */
  fileOf(name) {
    const bytes = this.kept.slice();
    return Object.assign(new Blob([bytes.buffer]), {name});
  }
}
