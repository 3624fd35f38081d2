// @ts-check
// What a page knows of a widget, and its line to the kernel.
/** @import {Model, Store} from "./types" */

globalThis.__distill ??= {stores: new Map(), plotly: null};

/** What all our widgets on this page share. */
export const SHARED = globalThis.__distill;

/**
 * Opens what a page knows of a widget.
 *
 * anywidget hands `initialize` and `render` different proxies of a model, so it is kept here,
 * under the widget's own name.
 *
 * @template Fields
 * @param {Model<any>} model
 * @param {Fields} fields
 * @returns {Store & Fields}
 */
export function openStore(model, fields) {
  const store = {views: new Set(), client: Math.random().toString(36).slice(2), ...fields};
  SHARED.stores.set(model.get("uid"), store);
  return store;
}

/**
 * A model may end after a newer one of the same widget has begun: that one's store stays.
 *
 * @param {Model<any>} model
 * @param {Store} store
 */
export function closeStore(model, store) {
  if (SHARED.stores.get(model.get("uid")) === store) SHARED.stores.delete(model.get("uid"));
}

/**
 * What a page knows of a widget: of the kind that its `initialize` opened.
 *
 * @param {Model<any>} model
 * @returns {any}
 */
export function storeOf(model) {
  return SHARED.stores.get(model.get("uid"));
}

/**
 * Sends a message; a kernel that is gone must not break what is on the page.
 *
 * @param {Model<any>} model
 * @param {object} message
 * @param {ArrayBuffer[]} buffers
 */
export function send(model, message, buffers = []) {
  try {
    if (buffers.length) model.send(message, undefined, buffers);
    else model.send(message);
  } catch (error) {
    console.debug("distill: the kernel cannot be reached", error);
  }
}

/**
 * Says regularly that somebody watches, and at once when the page becomes visible again.
 *
 * @param {Model<any>} model
 * @param {Store} store
 * @param {() => void} sync
 */
export function keepInTouch(model, store, sync) {
  const beat = () => {
    if (document.visibilityState === "visible" && store.views.size) sync();
  };
  const timer = setInterval(beat, 1000 * model.get("poll_s"));
  document.addEventListener("visibilitychange", beat);
  return () => {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", beat);
  };
}
