// @ts-check
// Pictures of sounds on a canvas: their outline, and their mel spectrogram.

import {element} from "../page/text.js";
import {themeColour} from "../page/theme.js";

/** Between two looks at where a sound is: a page drawn at every frame takes a core from who trains. */
export const LOOK_MS = 60;
const BYTE = 127;

/** @param {HTMLCanvasElement} canvas */
export function contextOf(canvas) {
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
}

/**
 * Draws the outline of a sound.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {Int8Array} peaks least of every column, then the greatest
 * @param {number} share how much of it has been played, in [0, 1]
 * @param {string} ink
 * @param {string} played colour of what has been played
 */
export function paintEnvelope(canvas, peaks, share, ink, played) {
  const ratio = globalThis.devicePixelRatio || 1;
  canvas.width = Math.max(1, Math.round(canvas.clientWidth * ratio));
  canvas.height = Math.max(1, Math.round(canvas.clientHeight * ratio));
  const draw = contextOf(canvas);
  const {width, height} = canvas;
  const columns = peaks.length / 2;
  for (let x = 0; x < width; x += Math.ceil(2 * ratio)) {
    const column = Math.min(columns - 1, Math.floor((x / width) * columns));
    const [low, high] = [peaks[column] / BYTE, peaks[columns + column] / BYTE];
    const tall = Math.max(ratio, (height / 2) * (high - low));
    draw.fillStyle = x / width < share ? played : ink;
    draw.fillRect(x, (height / 2) * (1 - high), Math.max(1, ratio), tall);
  }
}

/**
 * Draws a mel picture in the accent of the theme.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {Uint8Array} values (band × column) opacity, the lowest band first
 * @param {[number, number]} shape bands, columns
 * @param {Element} el
 */
export function paintMel(canvas, values, [bands, columns], el) {
  canvas.width = columns;
  canvas.height = bands;
  const draw = contextOf(canvas);
  const image = draw.createImageData(columns, bands);
  const [red, green, blue] = bytesOf(themeColour(el, "var(--distill-accent)"));
  for (let band = 0; band < bands; band += 1) {
    for (let column = 0; column < columns; column += 1) {
      const at = 4 * ((bands - 1 - band) * columns + column);
      image.data.set([red, green, blue, values[band * columns + column]], at);
    }
  }
  draw.putImageData(image, 0, 0);
}

/** @param {string} colour of CSS */
function bytesOf(colour) {
  const draw = contextOf(element("canvas"));
  draw.fillStyle = colour;
  draw.fillRect(0, 0, 1, 1);
  return draw.getImageData(0, 0, 1, 1).data;
}
