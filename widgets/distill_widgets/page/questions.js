// @ts-check
// Questions to the kernel by key, each asked again until it is answered: a kernel may be busy, or
// starting anew. What was answered once is known to the page.
/** @import {Answer, Ask, Command, Model, Put, Questions} from "./types" */

import {closeStore, openStore, send} from "./store.js";

const ASK_AGAIN_MS = 5000;
const LONGEST_PATIENCE_MS = 60_000;
const LATE_MS = 2500;

/** What somebody who waits receives. */
export const LATE = "waiting for the kernel: if it is gone, run the cell again";

/**
 * @param {string} type
 * @param {string} key
 */
function nameOf(type, key) {
  return `${type} ${key}`;
}

/**
 * Asks until there is an answer, less and less often: what is asked waits in a queue.
 *
 * @param {() => boolean} isWaiting
 * @param {() => void} ask
 */
function askUntilAnswered(isWaiting, ask, patience = ASK_AGAIN_MS) {
  if (!isWaiting()) return;
  ask();
  const next = Math.min(2 * patience, LONGEST_PATIENCE_MS);
  setTimeout(() => askUntilAnswered(isWaiting, ask, next), patience);
}

/**
 * Opens a store that asks.
 *
 * @template Fields
 * @param {Model<any>} model
 * @param {Fields} fields
 * @returns {Questions & Fields}
 */
export function openQuestions(model, fields) {
  /** @type {Map<string, (answer: Answer) => void>} */
  const waiting = new Map();
  /** @type {Map<string, Promise<Answer>>} */
  const answers = new Map();
  let commands = 0;

  /** @param {Omit<Answer, "buffers">} message @param {DataView[]} buffers */
  function receive(message, buffers) {
    const name = nameOf(message.type, message.key);
    const done = waiting.get(name);
    if (!done) return;
    waiting.delete(name);
    if (message.error) answers.delete(name); // it may be there the next time
    done({...message, type: message.type, key: message.key, buffers});
  }

  /**
   * @param {string} type @param {string} key @param {ArrayBuffer[]} buffers
   * @returns {Promise<Answer>}
   */
  function ask(type, key, buffers = []) {
    const name = nameOf(type, key);
    const known = answers.get(name);
    if (known) return known;
    const answer = new Promise((/** @type {(answer: Answer) => void} */ done) => {
      waiting.set(name, done);
    });
    answers.set(name, answer);
    askUntilAnswered(
      () => waiting.has(name),
      () => send(model, {type, key, client: store.client}, buffers),
    );
    return answer;
  }

  /** Has something done, not known: every time anew, and each time once. */
  /** @param {string} type @param {object} command */
  async function act(type, command) {
    commands += 1;
    const key = JSON.stringify({act: `${store.client}-${commands}`, ...command});
    const answer = await ask(type, key);
    answers.delete(nameOf(type, key));
    return answer;
  }

  /** Hands something over; what was answered is not known. */
  /** @param {string} type @param {string} key @param {ArrayBuffer} buffer */
  async function put(type, key, buffer) {
    const answer = await ask(type, key, [buffer]);
    answers.delete(nameOf(type, key));
    return answer;
  }

  const store = openStore(model, {
    get: /** @type {Ask} */ (ask), // facts as messages.py has them
    command: /** @type {Command} */ (act),
    put: /** @type {Put} */ (put),
    /** @param {string} type @param {string} key */
    forgetAnswer(type, key) {
      answers.delete(nameOf(type, key));
    },
    close() {
      model.off("msg:custom", receive);
      waiting.clear();
      closeStore(model, store);
    },
    ...fields,
  });
  model.on("msg:custom", receive);
  return store;
}

/**
 * Says so when an answer is late.
 *
 * @template Result
 * @param {Promise<Result>} promise
 * @param {() => void} report
 */
export function whenLate(promise, report) {
  const timer = setTimeout(report, LATE_MS);
  const done = () => clearTimeout(timer);
  promise.then(done, done);
  return promise;
}
