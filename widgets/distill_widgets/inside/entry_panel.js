// @ts-check
// One entry of an atlas: what it looks like, how it is used, what is like it, where it is heard.

import {element, fixed, shownText} from "../page/common.js";
import {paintMel} from "../sounds/player.js";

// A choice of a few: a row of toggles.
export function choice(options, chosen, act, label) {
  const row = element("span", "distill-ab");
  row.setAttribute("role", "group");
  row.setAttribute("aria-label", label);
  for (const [key, text] of options) {
    const button = element("button", "distill-toggle", text);
    button.dataset.choice = key;
    button.setAttribute("aria-pressed", key === chosen);
    button.onclick = () => act(key);
    row.append(button);
  }
  return row;
}

export function menu(options, chosen, act, label) {
  const select = element("select", "distill-select"),
    said = element("label", "", label);
  for (const [key, text] of options)
    select.append(new Option(shownText(text), key, false, String(key) === String(chosen)));
  select.onchange = () => act(select.value);
  said.append(select);
  return said;
}

export function openPanel({store, labels, side, el, get, choose, hear, hearEntry, say, isGone}) {
  function chips(title, entries) {
    const row = element("div", "distill-chips");
    row.append(element("span", "distill-quiet", title));
    entries.forEach(([entry, text]) => {
      const button = element("button", "distill-toggle", text ?? String(entry));
      button.onclick = () => choose(entry);
      row.append(button);
    });
    return row;
  }
  function momentRow(moment, number) {
    const row = element("div", "distill-moment"),
      button = element("button", "distill-play", "▶");
    const key = `moment/${store.level}/${store.entry}/${number}`,
      text = `${moment.name} at ${fixed(moment.start_s, 2)} s`;
    button.setAttribute("aria-label", `play ${text}`);
    button.onclick = () => hear(key, text);
    const name = element("span", "distill-moment-name", moment.name);
    name.title = text;
    row.append(button, name, element("span", "distill-time", `${fixed(moment.start_s, 2)} s`));
    return row;
  }
  async function show() {
    const {level, entry} = store;
    el.dataset.level = level;
    el.dataset.entry = entry ?? "";
    if (entry === null) {
      side.replaceChildren(
        element(
          "p",
          "distill-quiet",
          "Click an entry to hear it, and where your sounds come nearest to it.",
        ),
      );
      return;
    }
    let known;
    try {
      known = await get("entry", `${level}/${entry}`);
    } catch (error) {
      return say(error.message, true);
    }
    if (level !== store.level || entry !== store.entry || isGone()) return;
    const head = element("div", "distill-entry-head"),
      play = element("button", "distill-play", "▶");
    play.setAttribute("aria-label", "play this entry");
    play.onclick = () => hearEntry(entry);
    head.append(play, element("b", "", `${labels[level]}, entry ${entry}`));
    const picture = Object.assign(element("canvas", "distill-mel"), {title: "its mel picture"});
    const use = known.uses
      ? `used ${known.uses.toLocaleString()} × (${known.share < 0.001 ? "< 0.1" : (100 * known.share).toFixed(1)} %)`
      : "never used in these files";
    const sound = `${fixed(known.brightness)} Hz, ${fixed(known.loudness)} dB alone`;
    const told = element("p", "", [use, sound].join(" · "));
    const parts = [
      head,
      picture,
      told,
      chips(
        "nearest",
        known.near.map((e) => [e]),
      ),
    ];
    if (known.followers.length) {
      parts.push(
        chips(
          "then",
          known.followers.map(([e, share]) => [e, `${e} · ${Math.round(100 * share)} %`]),
        ),
      );
    }
    const moments = element("div", "distill-moments");
    moments.append(
      element(
        "div",
        "distill-quiet",
        known.moments.length ? "heard in" : "no moments: it is never used",
      ),
    );
    moments.append(...known.moments.map(momentRow));
    side.replaceChildren(...parts, moments);
    const pixels = known.buffers[0];
    paintMel(
      picture,
      new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength),
      known.shape,
      el,
    );
    el.dataset.moments = known.moments.length;
  }
  return {show, chips};
}
