// @ts-check
// Rows of sounds, as a widget of their own.
/** @import {Shown} from "../page/types" */
/** @import {Traits} from "./player_view" */

import {openPlayer, PlayerView} from "./player_view.js";

/** @param {Shown<Traits>} shown */
function initialize({model}) {
  return openPlayer(model);
}

/** @param {Shown<Traits>} shown */
function render({model, el}) {
  return new PlayerView(model, el).open();
}

export default {initialize, render};
