// @ts-check
// A sound that is heard while it is made: its pieces are played one behind the other, to the sample.
// It has a context, which holds the device that plays, only while it is heard: a page may not have
// many.

const LEAD_S = 0.02; // what comes too late begins so much after it has come

export class LiveSound {
  /**
   * @param {number} rate of its samples, in Hz
   * @param {() => void} ended called when all of it was heard
   * @param {boolean} isLooping whether its one piece is repeated without a seam
   */
  constructor(rate, ended, isLooping = false) {
    this.rate = rate;
    this.ended = ended;
    this.isLooping = isLooping;
    /** @type {AudioBuffer[]} */
    this.buffers = [];
    /** @type {AudioContext | null} */
    this.context = null;
    this.isWhole = false;
    this.length = 0; // seconds that are there
    this.heard = 0; // of them, when it was paused
    this.behind = 0; // when they are over, by the clock of the context
    this.sounding = 0; // pieces that are not over
    this.open();
  }

  get pieces() {
    return this.buffers.length;
  }

  get isPlaying() {
    return this.context !== null;
  }

  /** What was heard of it, in seconds; of a loop, in this round. */
  get seconds() {
    if (!this.context) return this.heard;
    const heard = this.length - (this.behind - this.context.currentTime);
    if (this.isLooping && this.length) return Math.max(0, heard) % this.length;
    return Math.min(this.length, Math.max(0, heard));
  }

  /** @param {Float32Array<ArrayBuffer>} samples the next piece */
  add(samples) {
    const buffer = new AudioBuffer({length: samples.length, sampleRate: this.rate});
    buffer.copyToChannel(samples, 0);
    this.buffers.push(buffer);
    this.length += buffer.duration;
    if (this.context) this.start(this.context, buffer, 0);
  }

  /** @param {AudioContext} context @param {AudioBuffer} buffer @param {number} skipped seconds */
  start(context, buffer, skipped) {
    const source = context.createBufferSource();
    source.buffer = buffer;
    source.loop = this.isLooping;
    source.connect(context.destination);
    source.onended = () => {
      if (context === this.context) this.pieceOver();
    };
    this.behind = Math.max(this.behind, context.currentTime + LEAD_S);
    source.start(this.behind, skipped);
    this.behind += buffer.duration - skipped;
    this.sounding += 1;
  }

  pieceOver() {
    this.sounding -= 1;
    this.endWhenOver();
  }

  /** No other piece follows. */
  finish() {
    this.isWhole = true;
    this.endWhenOver();
  }

  endWhenOver() {
    if (!this.isWhole || this.sounding || !this.isPlaying) return;
    this.close();
    this.ended();
  }

  /** Goes silent where it is, and leaves the device to others. */
  pause() {
    this.heard = this.seconds;
    this.close();
  }

  /** Goes on where it was. */
  play() {
    if (!this.context) this.open();
    this.endWhenOver();
  }

  open() {
    // Its own rate: pieces that were resampled one by one would not join.
    const context = new AudioContext({sampleRate: this.rate});
    this.context = context;
    this.behind = 0;
    this.sounding = 0;
    let begin = 0;
    for (const buffer of this.buffers) {
      const skipped = Math.max(0, this.heard - begin);
      begin += buffer.duration;
      if (skipped < buffer.duration) this.start(context, buffer, skipped);
    }
  }

  close() {
    this.context?.close();
    this.context = null;
  }
}

/** Whether a page may begin to play by itself: after somebody has done something on it. */
export function mayPlay() {
  return navigator.userActivation?.hasBeenActive ?? true;
}
