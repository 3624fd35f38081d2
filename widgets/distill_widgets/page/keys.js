// @ts-check
// Keys with a meaning of their own in a view.

/** Whether a key is part of a shortcut of the browser's or the notebook's. */
/** @param {KeyboardEvent} event */
export function isShortcut({ctrlKey, metaKey, altKey}) {
  return ctrlKey || metaKey || altKey;
}

/**
 * Does what a key means here; the notebook, which has its own meaning for it, does not get it.
 *
 * @param {KeyboardEvent} event
 * @param {(() => void) | undefined} action nothing where the key has no meaning
 */
export function actOnKey(event, action) {
  if (!action || isShortcut(event)) return;
  event.preventDefault();
  event.stopPropagation();
  action();
}
