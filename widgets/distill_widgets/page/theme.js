// @ts-check
// The notebook's theme: its colours, and when they change.

// A theme's name changes at once, its colours when its style sheet has loaded.
const THEME_LOADS_MS = [0, 150, 600, 2000, 6000];

/**
 * A colour; names of theme colours, as `var(--distill-ink)`, become the colours they stand for.
 *
 * @param {Element} el where the theme holds
 * @param {string} value
 */
export function themeColour(el, value) {
  const name = /^var\((--[\w-]+)\)$/.exec(value);
  return name ? getComputedStyle(el).getPropertyValue(name[1]).trim() || "#888" : value;
}

/**
 * Calls back whenever the theme may have changed; returns what ends that.
 *
 * @param {() => void} act
 */
export function onThemeChange(act) {
  const observer = new MutationObserver(() => {
    for (const wait of THEME_LOADS_MS) setTimeout(act, wait);
  });
  const watched = {
    attributes: true,
    attributeFilter: ["class", "theme", "data-jp-theme-name", "data-jp-theme-light"],
  };
  observer.observe(document.body, watched);
  observer.observe(document.documentElement, watched);
  return () => observer.disconnect();
}

/** @param {Element} el */
function isDark(el) {
  const light = document.body.dataset.jpThemeLight;
  if (light) return light === "false";
  if (document.documentElement.getAttribute("theme") === "dark") return true;
  const ink = getComputedStyle(el).getPropertyValue("--jp-ui-font-color1");
  return !ink && matchMedia("(prefers-color-scheme: dark)").matches;
}

/**
 * Tells our styles whether what lies behind a widget is dark.
 *
 * @param {Element} el
 */
export function markDarkness(el) {
  el.classList.toggle("distill-dark", isDark(el));
}
