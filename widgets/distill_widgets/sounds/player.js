// @ts-check
// A row with one player: an original and what was made of it, switched at the same position. Sound
// is fetched when somebody presses Play; both sides then run together, one of them silent, so that
// switching is heard at once and nothing else changes.

import {element, setText, themeColour} from "../page/common.js";
import {openQuestions} from "../page/questions.js";

const DRIFT_S = 0.03;

function paintEnvelope(canvas, peaks, share, ink, played) {
  const ratio = globalThis.devicePixelRatio || 1;
  canvas.width = Math.max(1, Math.round(canvas.clientWidth * ratio));
  canvas.height = Math.max(1, Math.round(canvas.clientHeight * ratio));
  const draw = canvas.getContext("2d"),
    {width, height} = canvas,
    columns = peaks.length / 2;
  for (let x = 0; x < width; x += Math.ceil(2 * ratio)) {
    const column = Math.min(columns - 1, Math.floor((x / width) * columns));
    const low = peaks[column] / 127,
      high = peaks[columns + column] / 127;
    draw.fillStyle = x / width < share ? played : ink;
    const top = (height / 2) * (1 - high),
      tall = Math.max(ratio, (height / 2) * (high - low));
    draw.fillRect(x, top, Math.max(1, ratio), tall);
  }
}

export function paintMel(canvas, values, [bands, columns], el) {
  canvas.width = columns;
  canvas.height = bands;
  const draw = canvas.getContext("2d"),
    image = draw.createImageData(columns, bands);
  const tint = rgb(themeColour(el, "var(--distill-accent)"));
  for (let band = 0; band < bands; band += 1) {
    for (let column = 0; column < columns; column += 1) {
      const at = 4 * ((bands - 1 - band) * columns + column),
        value = values[band * columns + column];
      image.data.set([tint[0], tint[1], tint[2], value], at);
    }
  }
  draw.putImageData(image, 0, 0);
}

function rgb(colour) {
  const draw = element("canvas").getContext("2d");
  draw.fillStyle = colour;
  draw.fillRect(0, 0, 1, 1);
  return draw.getImageData(0, 0, 1, 1).data;
}

// Sounds and their pictures by key, each fetched once a page.
export function openSounds(model) {
  const store = openQuestions(model, {urls: new Map()}),
    close = store.close;
  store.url = async (key) => {
    const answer = await store.get("sound", key);
    if (answer.error) throw new Error(answer.error);
    if (!store.urls.has(key)) {
      store.urls.set(key, URL.createObjectURL(new Blob([answer.buffers[0]], {type: "audio/wav"})));
    }
    return store.urls.get(key);
  };
  store.forget = (key) => {
    URL.revokeObjectURL(store.urls.get(key));
    store.urls.delete(key);
    store.had.delete(`sound ${key}`);
  };
  store.close = () => {
    close();
    store.urls.forEach((url) => URL.revokeObjectURL(url));
  };
  return store;
}

// An audio element with the sound of a key in it, ready to play.
export async function loaded(store, key) {
  const url = await store.url(key),
    {louder_db: louder} = await store.get("sound", key);
  const audio = Object.assign(new Audio(), {preload: "auto"});
  await new Promise((done, failed) => {
    audio.onloadedmetadata = done;
    audio.onerror = () => failed(new Error(audio.error?.message || "the browser cannot play it"));
    audio.src = url;
  });
  return {audio, louder: louder ?? 0};
}

export class Row {
  constructor(store, row, number, owner) {
    Object.assign(this, {
      store,
      row,
      number,
      owner,
      side: 0,
      keys: [],
      peaks: [],
      peaksOf: [],
      loadedKeys: [],
    });
    this.el = element("div", "distill-sound");
    this.el.tabIndex = 0;
    this.button = element("button", "distill-play", "▶");
    this.button.setAttribute("aria-label", `play ${row.name}`);
    this.name = element("span", "distill-sound-name", row.name);
    this.name.title = row.name;
    this.switch = element("span", "distill-ab");
    this.sides = row.sides.map((label, side) => {
      const button = element("button", "distill-toggle", label);
      button.onclick = () => this.turnTo(side);
      this.switch.append(button);
      return button;
    });
    this.wave = element("canvas", "distill-wave");
    this.time = element("span", "distill-time");
    this.mels = row.sides.map((label) =>
      Object.assign(element("canvas", "distill-mel"), {title: label}),
    );
    this.looks = element("div", "distill-mels");
    this.looks.hidden = true;
    this.looks.append(...this.mels);
    this.audio = row.sides.map(() => Object.assign(new Audio(), {preload: "auto"}));
    const line = element("div", "distill-sound-line");
    line.append(this.button, this.name, this.switch, this.wave, this.time);
    this.el.append(line, this.looks, ...this.audio);
    this.button.onclick = () => this.toggle();
    this.wave.onclick = (event) => this.seek(event.offsetX / this.wave.clientWidth);
    this.el.onkeydown = (event) => this.key(event);
    this.audio[0].onended = () => {
      if (!this.audio[0].loop) this.stop();
    };
    this.turnTo(0);
  }

  get seconds() {
    return Number.isFinite(this.audio[0].duration) ? this.audio[0].duration : this.row.seconds;
  }

  key(event) {
    const act = {
      " ": () => this.toggle(),
      x: () => this.turnTo((this.side + 1) % this.sides.length),
      a: () => this.turnTo(0),
      b: () => this.turnTo(1),
      ArrowLeft: () => this.skip(-0.5),
      ArrowRight: () => this.skip(0.5),
    }[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " " && event.target !== this.el) return; // a button's own key
    event.preventDefault();
    event.stopPropagation(); // the notebook has its own meaning for x, a and b
    act();
  }

  async use(keys) {
    if (keys.join("\n") === this.keys.join("\n")) return; // the rows were told anew, not others
    this.keys = keys;
    const going = !this.audio[0].paused,
      position = this.audio[0].currentTime;
    if (going) await this.load(position, true).catch((error) => this.fail(error));
    await this.look();
  }

  fail(error) {
    this.stop();
    this.el.dataset.status = "error";
    setText(this.time, error.message);
    this.loadedKeys = [];
  }

  // The outline of the side that is heard: the others may have to be made first.
  async look() {
    const keys = this.keys,
      side = this.side,
      key = keys[side];
    if (!this.looks.hidden && keys !== this.melsOf) this.lookAtMels(keys);
    if (key === undefined || this.peaksOf[side] === key) return;
    this.peaksOf[side] = key;
    const answer = await this.store.get("peaks", key);
    if (this.peaksOf[side] !== key) return;
    if (answer.error) this.peaksOf[side] = undefined; // asked anew the next time
    this.peaks[side] = answer.error
      ? null
      : new Int8Array(
          answer.buffers[0].buffer,
          answer.buffers[0].byteOffset,
          answer.buffers[0].byteLength,
        );
    this.paint();
  }

  async lookAtMels(keys) {
    this.melsOf = keys;
    const answers = await Promise.all(keys.map((key) => this.store.get("mel", key)));
    answers.forEach(({error, shape, buffers}, side) => {
      if (!error && keys === this.keys) {
        paintMel(
          this.mels[side],
          new Uint8Array(buffers[0].buffer, buffers[0].byteOffset, buffers[0].byteLength),
          shape,
          this.el,
        );
        this.el.dataset.mels = side + 1;
      }
    });
  }

  paint() {
    const peaks = this.peaks[this.side],
      share = this.seconds ? this.audio[0].currentTime / this.seconds : 0;
    if (peaks && this.wave.clientWidth) {
      paintEnvelope(
        this.wave,
        peaks,
        share,
        themeColour(this.el, "var(--distill-muted)"),
        themeColour(this.el, "var(--distill-accent)"),
      );
    }
    setText(this.time, `${this.audio[0].currentTime.toFixed(1)} / ${this.seconds.toFixed(1)} s`);
  }

  turnTo(side) {
    this.side = side;
    this.sides.forEach((button, i) => button.setAttribute("aria-pressed", i === side));
    if (!this.audio[0].paused) this.together();
    this.audio.forEach((audio, i) => (audio.muted = i !== side));
    this.el.dataset.side = this.row.sides[side];
    this.look();
    this.paint();
  }

  together() {
    const now = this.audio[this.side === 0 ? 1 : 0]?.currentTime ?? 0,
      next = this.audio[this.side];
    if (Math.abs(next.currentTime - now) > DRIFT_S) next.currentTime = now;
  }

  async load(position, play) {
    const keys = this.keys;
    if (this.loadedKeys !== keys) {
      this.el.dataset.status = "fetching";
      const urls = await Promise.all(keys.map((key) => this.store.url(key)));
      if (keys !== this.keys) return this.load(position, play); // others are wanted meanwhile
      await Promise.all(
        this.audio.map((audio, i) =>
          audio.src === urls[i]
            ? null
            : new Promise((done, failed) => {
                audio.onloadedmetadata = done;
                audio.onerror = () =>
                  failed(new Error(audio.error?.message || "the browser cannot play it"));
                audio.src = urls[i];
              }),
        ),
      );
      this.loadedKeys = keys;
      this.el.dataset.duration = this.audio[0].duration;
    }
    this.audio.forEach((audio) => {
      audio.currentTime = position;
      audio.loop = this.owner.loop;
    });
    if (play) await Promise.all(this.audio.map((audio) => audio.play()));
  }

  async toggle() {
    if (!this.audio[0].paused) return this.stop();
    this.open();
    this.owner.quiet(this);
    try {
      const position = this.audio[0].ended ? 0 : this.audio[0].currentTime;
      await this.load(position, true);
      this.el.dataset.status = "playing";
      setText(this.button, "❚❚");
      const step = () => {
        this.paint();
        if (!this.audio[0].paused) requestAnimationFrame(step);
      };
      step();
    } catch (error) {
      this.fail(error);
    }
  }

  open() {
    if (!this.looks.hidden) return;
    this.looks.hidden = false;
    this.lookAtMels(this.keys);
  }

  stop() {
    this.audio.forEach((audio) => audio.pause());
    setText(this.button, "▶");
    if (this.el.dataset.status === "playing") this.el.dataset.status = "paused";
    this.paint();
  }

  skip(seconds) {
    this.seek((this.audio[0].currentTime + seconds) / this.seconds);
  }

  async seek(share) {
    if (this.loadedKeys !== this.keys) await this.toggle();
    const at = Math.min(Math.max(share, 0), 1) * this.seconds;
    this.audio.forEach((audio) => (audio.currentTime = at));
    this.paint();
  }

  close() {
    this.audio.forEach((audio) => {
      audio.pause();
      audio.removeAttribute("src");
    });
  }
}
