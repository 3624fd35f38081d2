"""PadList: the pads of a `Generator` on a page."""

from __future__ import annotations

from distill.markup import shortened
from distill.tables import MOST_IN_A_CELL
from distill_widgets.inside.pad_board import Pad
from distill_widgets.page.messages import PadFacts
from distill_widgets.page.page_code import page_code, page_styles
from distill_widgets.sounds.audio_player import AudioPlayer


class PadList(AudioPlayer):
    """A player whose rows have buttons; what they ask for is done by `Generator`."""

    _css = page_styles("page/style.css", "charts/chart.css", "sounds/sounds.css", "inside/pads.css")
    _esm = page_code("inside/pad_list.js")

    def show_pads(self, pads: tuple[Pad, ...]) -> None:
        """Replaces what there is; what plays and is still there plays on."""
        self.rows = [
            {
                "name": f"sound {pad.number}",
                "seconds": pad.codes.seconds,
                "sides": ["made"],
                "keys": [str(pad.number)],
                "pad": _facts(pad),
            }
            for pad in pads
        ]


def _facts(pad: Pad) -> PadFacts:
    shared = pad.shared
    return {
        "number": pad.number,
        "about": about(pad),
        "kept": pad.kept,
        "copied": shortened(str(shared), MOST_IN_A_CELL),
        "is_copy": shared.is_copy,
        "shared_from_s": shared.begins_s,
        "shared_s": shared.seconds,
    }


def about(pad: Pad) -> str:
    """How a sound was made."""
    drawing = pad.drawing
    novelty = f" · novelty {drawing.novelty:g}" if drawing.novelty else ""
    return f"{pad.made} · seed {pad.seed} · temperature {drawing.temperature:g}{novelty}{pad.told}"
