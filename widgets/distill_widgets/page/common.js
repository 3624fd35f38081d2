// @ts-check
// What the pages of all widgets share. Files are joined into one module for each widget.

export const SHARED = (globalThis.__distill ??= {stores: new Map(), plotly: null});

// anywidget hands `initialize` and `render` different proxies of a model, so what a page knows of
// a widget is kept here, under the widget's own name.
export function openStore(model, fields) {
  const store = {views: new Set(), client: Math.random().toString(36).slice(2), ...fields};
  SHARED.stores.set(model.get("uid"), store);
  return store;
}

// A model may end after a newer one of the same widget has begun: that one's store stays.
export function closeStore(model, store) {
  if (storeOf(model) === store) SHARED.stores.delete(model.get("uid"));
}

export function storeOf(model) {
  return SHARED.stores.get(model.get("uid"));
}

// A kernel that is gone must not break what is on the page.
export function tell(model, message) {
  try {
    model.send(message);
  } catch (error) {
    console.debug("distill: the kernel cannot be reached", error);
  }
}

// Says regularly that somebody looks, and at once when the page becomes visible again.
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

export function themeColour(el, value) {
  const name = /^var\((--[\w-]+)\)$/.exec(value);
  return name ? getComputedStyle(el).getPropertyValue(name[1]).trim() || "#888" : value;
}

// A theme's name changes at once, its colours when its style sheet has loaded.
const THEME_LOADS_MS = [0, 150, 600, 2000];

export function onThemeChange(act) {
  const observer = new MutationObserver(() =>
    THEME_LOADS_MS.forEach((wait) => setTimeout(act, wait)),
  );
  const watched = {
    attributes: true,
    attributeFilter: ["class", "theme", "data-jp-theme-name", "data-jp-theme-light"],
  };
  observer.observe(document.body, watched);
  observer.observe(document.documentElement, watched);
  return () => observer.disconnect();
}

// A page is as dark as what lies behind the widget.
export function markDarkness(el) {
  const ink = getComputedStyle(el).getPropertyValue("--jp-ui-font-color1");
  const light = document.body.dataset.jpThemeLight;
  const dark =
    light === "false" ||
    (!light &&
      (document.documentElement.getAttribute("theme") === "dark" ||
        (!ink && matchMedia("(prefers-color-scheme: dark)").matches)));
  el.classList.toggle("distill-dark", dark);
}

const MOST_CHARACTERS = 10_000;
const STEERING =
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]|[\ud800-\udfff]/gu;

// A text that nothing can be hidden in: signs that steer a line are shown, what nobody reads is cut.
export function shownText(text, limit = MOST_CHARACTERS) {
  const whole = String(text ?? ""),
    cut = whole.length > limit ? `${whole.slice(0, limit - 1)}…` : whole;
  return cut.replace(STEERING, (sign) => `\\u${sign.codePointAt(0).toString(16).padStart(4, "0")}`);
}

// The one way in which a text gets onto a page: as text.
export function setText(el, text) {
  const shown = shownText(text);
  if (el.textContent !== shown) el.textContent = shown;
}

export function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  setText(made, text);
  return made;
}

// A number that may be none, as where a file is damaged.
export function fixed(value, digits = 0) {
  return Number.isFinite(value) ? value.toFixed(digits) : "–";
}

export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (h) return `${h} h ${m} min`;
  return m ? `${m} min ${s} s` : `${s} s`;
}
