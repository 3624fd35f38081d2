// @ts-check
// A sound that is heard while it is made: its pieces are played one behind the other, to the sample.

const LEAD_S = 0.02; // what comes too late begins so much after it has come

export class LiveSound {
  /**
   * @param {number} rate of its samples, in Hz
   * @param {() => void} ended called when all of it was heard
   */
  constructor(rate, ended) {
    // Its own rate: pieces that were resampled one by one would not join.
    this.context = new AudioContext({sampleRate: rate});
    this.ended = ended;
    this.pieces = 0;
    this.sounding = 0; // pieces that are not over
    this.isWhole = false;
    this.isPlaying = true;
    this.length = 0; // seconds that are there
    this.behind = 0; // when they are over, by the clock of the context
  }

  /** What was heard of it, in seconds. */
  get seconds() {
    return Math.max(0, this.length - Math.max(0, this.behind - this.context.currentTime));
  }

  /** @param {Float32Array<ArrayBuffer>} samples the next piece */
  add(samples) {
    const {context} = this;
    const buffer = context.createBuffer(1, samples.length, context.sampleRate);
    const source = context.createBufferSource();
    buffer.copyToChannel(samples, 0);
    source.buffer = buffer;
    source.connect(context.destination);
    source.onended = () => this.pieceOver();
    this.behind = Math.max(this.behind, context.currentTime + LEAD_S);
    source.start(this.behind);
    this.behind += buffer.duration;
    this.length += buffer.duration;
    this.pieces += 1;
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

  pause() {
    this.isPlaying = false;
    this.context.suspend();
  }

  play() {
    this.isPlaying = true;
    this.context.resume();
    this.endWhenOver();
  }

  close() {
    this.isPlaying = false;
    if (this.context.state !== "closed") this.context.close();
  }
}

/** Whether a page may begin to play by itself: after somebody has done something on it. */
export function mayPlay() {
  return navigator.userActivation?.hasBeenActive ?? true;
}
