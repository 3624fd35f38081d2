"""PadList: the pads of a `Generator` on a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from torch import Tensor

from distill.markup import shortened
from distill.tables import MOST_IN_A_CELL
from distill_widgets.inside.pads import Asked, Pad
from distill_widgets.page.messages import PadFacts, Piece
from distill_widgets.page.page_code import page_code, page_styles
from distill_widgets.sounds.audio_player import AudioPlayer


class PadList(AudioPlayer):
    """A player whose rows have buttons; what they ask for is done by `Generator`."""

    _css = page_styles("page/style.css", "charts/chart.css", "sounds/sounds.css", "inside/pads.css")
    _esm = page_code("inside/pad_list.js")

    def show_pads(self, pads: Sequence[Pad], drawn: Iterable[Asked] = ()) -> None:
        """Replaces what there is; what plays and is still there plays on.

        Args:
            pads: sounds.
            drawn: those that are being drawn; they stand above.
        """
        coming = [_row(asked, asked.seconds, _facts_of(asked)) for asked in drawn]
        there = [_row(pad.asked, pad.codes.seconds, _facts(pad)) for pad in pads]
        self.rows = [*reversed(coming), *there]

    def send_piece(self, number: int, place: int, piece: Tensor, sample_rate: int) -> None:
        """Has the page that is open play the next piece of a sound that is being drawn.

        Args:
            number: of the sound.
            place: of the piece, from 0.
            piece: (samples,) float32.
            sample_rate: in Hz.
        """
        message: Piece = {"type": "piece", "number": number, "place": place, "rate": sample_rate}
        self.send(message, [piece.numpy().tobytes()])


def _row(asked: Asked, seconds: float, facts: PadFacts) -> dict[str, Any]:
    number = asked.number
    return {
        "name": f"sound {number}",
        "seconds": seconds,
        "sides": ["made"],
        "keys": [str(number)],
        "pad": facts,
    }


def _facts(pad: Pad) -> PadFacts:
    shared = pad.shared
    return {
        **_facts_of(pad.asked),
        "drawn": True,
        "kept": pad.kept,
        "copied": shortened(str(shared), MOST_IN_A_CELL),
        "is_copy": shared.is_copy,
        "shared_from_s": shared.begins_s,
        "shared_s": shared.seconds,
    }


def _facts_of(asked: Asked) -> PadFacts:
    return {
        "number": asked.number,
        "about": about(asked),
        "drawn": False,
        "kept": False,
        "loops": asked.loops,
        "copied": "",
        "is_copy": False,
        "shared_from_s": 0.0,
        "shared_s": 0.0,
    }


def about(asked: Asked) -> str:
    """How a sound is made."""
    drawing = asked.drawing
    novelty = f" · novelty {drawing.novelty:g}" if drawing.novelty else ""
    bold = f"temperature {drawing.temperature:g}{novelty}"
    weights = f" · {asked.weights}" if asked.weights else ""
    return f"{asked.made} · seed {asked.seed} · {bold}{asked.told}{weights}"
