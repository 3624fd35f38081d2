// @ts-check
// In which order sounds stand: the farthest from its original first, or as they came.

/**
 * Places of the rows, the one with the greatest distance first; those that nobody has measured
 * last, as they came.
 *
 * @param {(number | null)[]} distances
 * @param {number} count of rows
 */
export function worstFirst(distances, count) {
  /** @param {number} place */
  const far = (place) => distances[place] ?? Number.NEGATIVE_INFINITY;
  return [...Array(count).keys()].sort((a, b) => (far(a) === far(b) ? a - b : far(b) - far(a)));
}

/**
 * Brings elements into an order; one of them does not move: what plays would stop.
 *
 * @param {HTMLElement} list that they stand in
 * @param {HTMLElement[]} order
 * @param {HTMLElement | undefined} still
 */
export function arrange(list, order, still) {
  const at = still ? order.indexOf(still) : -1;
  order.forEach((el, place) => {
    if (still && place < at) list.insertBefore(el, still);
    else if (el !== still) list.append(el);
  });
}
