// @ts-check
// Questions to the kernel by key, each asked again until it is answered: a kernel may be busy, or
// starting anew. What was answered once is known to the page.

import {closeStore, openStore, tell} from "./common.js";

const ASK_AGAIN_MS = 5000;
const LONGEST_PATIENCE_MS = 60_000;
const LATE_MS = 2500;
export const LATE = "waiting for the kernel: if it is gone, run the cell again";

export function openQuestions(model, fields = {}) {
  const store = openStore(model, {waiting: new Map(), had: new Map(), acts: 0, ...fields});
  store.get = (type, key) => {
    const name = `${type} ${key}`;
    if (!store.had.has(name)) {
      store.had.set(name, new Promise((done) => store.waiting.set(name, done)));
      let patience = ASK_AGAIN_MS;
      const ask = () => {
        if (!store.waiting.has(name)) return;
        tell(model, {type, key, client: store.client});
        setTimeout(ask, patience);
        patience = Math.min(2 * patience, LONGEST_PATIENCE_MS); // what is asked waits in a queue
      };
      ask();
    }
    return store.had.get(name);
  };
  // What is asked for to be done, not to be known: every time anew, and each time once.
  store.act = async (type, wish) => {
    const key = JSON.stringify({act: `${store.client}-${(store.acts += 1)}`, ...wish});
    const answer = await store.get(type, key);
    store.had.delete(`${type} ${key}`);
    return answer;
  };
  const receive = (message, buffers) => {
    const name = `${message.type} ${message.key}`,
      done = store.waiting.get(name);
    if (!done) return;
    store.waiting.delete(name);
    if (message.error) store.had.delete(name); // it may be there the next time
    done({...message, buffers});
  };
  model.on("msg:custom", receive);
  store.close = () => {
    model.off("msg:custom", receive);
    store.waiting.clear();
    closeStore(model, store);
  };
  return store;
}

// Somebody who waits is told why.
export function whenLate(promise, say) {
  const timer = setTimeout(say, LATE_MS);
  const done = () => clearTimeout(timer);
  promise.then(done, done);
  return promise;
}
