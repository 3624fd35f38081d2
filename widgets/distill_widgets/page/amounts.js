// @ts-check
// Numbers and times as people read them.

/**
 * A number that may be none, as where a file is damaged.
 *
 * @param {number | null | undefined} value
 */
export function fixed(value, digits = 0) {
  return typeof value === "number" && Number.isFinite(value) ? value.toFixed(digits) : "–";
}

/**
 * A length of time as people say it.
 *
 * @param {number} seconds
 */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (h) return `${h} h ${m} min`;
  return m ? `${m} min ${s} s` : `${s} s`;
}

/**
 * A place in a sound, as its ruler shows it.
 *
 * @param {number} seconds
 * @param {number} tick distance of two marks; finer ones have more digits
 */
export function clock(seconds, tick) {
  const minutes = Math.floor(seconds / 60);
  const digits = tick < 0.1 ? 2 : tick < 1 ? 1 : 0;
  const rest = (seconds - 60 * minutes).toFixed(digits);
  return `${minutes}:${rest.padStart(digits ? 3 + digits : 2, "0")}`;
}
