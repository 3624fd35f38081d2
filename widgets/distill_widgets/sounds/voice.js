// @ts-check
// One voice for a whole sound: it plays a source in pieces, one after the other, and changes to
// another source at the same place without a pause. Pieces are fetched when they are needed.

import {loaded} from "./player.js";

const MOST_PIECES = 24; // kept in the page: four minutes

export function openVoice({store, facts, place, changed, failed}) {
  const pieceS = facts.piece_steps * facts.step_s,
    pieces = Math.ceil(facts.steps / facts.piece_steps);
  const kept = []; // keys of pieces, the latest asked for last
  const voice = {source: "", playing: false, louder: 0};
  let audio = null,
    piece = 0,
    resting = 0,
    turn = 0,
    upcoming = null;

  const keyOf = (source, number) => `part/${source}/${number}`;
  const keep = (key) => {
    const at = kept.indexOf(key);
    if (at >= 0) kept.splice(at, 1);
    kept.push(key);
    if (kept.length > MOST_PIECES) store.forget(kept.shift());
  };
  const open = async (source, number) => {
    const key = keyOf(source, number);
    const made = await loaded(store, key);
    keep(key);
    return {key, ...made};
  };
  const prepare = (number) => {
    if (number >= pieces) return;
    const key = keyOf(voice.source, number);
    if (upcoming?.key === key) return;
    upcoming = {key, made: open(voice.source, number)};
    upcoming.made.catch(() => {}); // told when it is really wanted
  };
  const take = (number) => {
    const key = keyOf(voice.source, number),
      made = upcoming?.key === key ? upcoming.made : open(voice.source, number);
    if (upcoming?.key === key) upcoming = null;
    return made;
  };
  const leave = () => {
    if (!audio) return;
    audio.onended = null;
    audio.pause();
    audio.remove();
    audio = null;
  };

  voice.seconds = () =>
    audio ? Math.min(piece * pieceS + audio.currentTime, facts.seconds) : resting;

  // What is heard goes on until the new piece is there; the place is looked up only then.
  voice.play = async (source = voice.source, at = null) => {
    const mine = (turn += 1);
    voice.source = source;
    voice.waiting = true;
    if (at === null && !audio && resting >= facts.seconds - 0.01) resting = 0;
    changed();
    try {
      for (;;) {
        const number = Math.min(Math.floor((at ?? voice.seconds()) / pieceS), pieces - 1);
        const made = await take(number);
        if (mine !== turn) return;
        const now = at ?? voice.seconds();
        if (Math.min(Math.floor(now / pieceS), pieces - 1) !== number) continue; // it went on meanwhile
        leave();
        [audio, piece] = [made.audio, number];
        voice.louder = made.louder;
        place.append(audio);
        audio.currentTime = Math.max(0, now - number * pieceS);
        audio.onended = () => next(number + 1);
        await audio.play();
        break;
      }
      voice.playing = true;
      prepare(piece + 1);
    } catch (error) {
      if (mine !== turn) return;
      voice.pause();
      failed(error);
    } finally {
      if (mine === turn) voice.waiting = false;
      changed();
    }
  };
  const next = (number) => {
    if (number < pieces) return voice.play(voice.source, number * pieceS);
    leave();
    resting = 0;
    voice.playing = false;
    changed();
  };
  voice.pause = () => {
    turn += 1;
    resting = voice.seconds();
    leave();
    voice.playing = voice.waiting = false;
    changed();
  };
  voice.moveTo = (seconds) => {
    if (voice.playing) return void voice.play(voice.source, seconds);
    leave();
    resting = seconds;
    changed();
  };
  voice.close = () => {
    turn += 1;
    leave();
  };
  return voice;
}
