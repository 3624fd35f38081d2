// @ts-check
// The moving average that a chart shows; `drawing.py` has the same for reports.

/**
 * Exponential moving average without the lag of its start; what is not finite stays as it is.
 *
 * @param {number[]} values
 * @param {number} weight of what was before, in [0, 1)
 */
export function smoothed(values, weight) {
  let sum = 0;
  let total = 0;
  return values.map((value) => {
    if (!Number.isFinite(value)) return value;
    sum = weight * sum + (1 - weight) * value;
    total = weight * total + (1 - weight);
    return sum / total;
  });
}
