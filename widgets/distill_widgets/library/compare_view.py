"""CompareView: models side by side: numbers, curves, and the same sounds through each."""

from __future__ import annotations

from distill.analysis.compare.comparison import Comparison
from distill.markup import tag
from distill_widgets.charts.epoch_curves import curves_of_models
from distill_widgets.charts.live_chart import LiveChart
from distill_widgets.page import markup
from distill_widgets.page.controls import Html
from distill_widgets.page.view import View
from distill_widgets.sounds.audio_player import AudioPlayer, Sound, SoundRow

MOST_SOUNDS = 50
_ORIGINAL = "original"


class CompareView(View):
    """What `compare` measured, and a player for each sound: the original and every model's copy.

    A copy is made when it is listened to.

    Args:
        comparison: by `compare`.

    Example:
        `CompareView(compare(["a.distill", "b.distill"], corpus))`, as the last line of a cell.
    """

    def __init__(self, comparison: Comparison) -> None:
        self._comparison = comparison
        names = [one.name for one in comparison.models]
        self.player = AudioPlayer(
            self._fetch, self._rows(names), name=f"The same sounds through {_listed(names)}"
        )
        health = [
            part
            for one in comparison.models
            for part in (tag("h4", one.name), markup.health_table(one.health))
        ]
        parts = [
            Html(markup.plain_table(comparison.columns, comparison.rows(), title=self._title)),
            *(Html(markup.paragraph(f"by ear, {line}")) for line in comparison.marks),
            Html(markup.wrapped(*health)),
            LiveChart(curves_of_models({one.name: one.curves for one in comparison.models})),
            self.player,
        ]
        super().__init__(parts, "distill-card")

    @property
    def _title(self) -> str:
        sounds = len(self._comparison.sounds)
        return f"{len(self._comparison.models)} models on the same {sounds} sounds"

    def _rows(self, names: list[str]) -> list[SoundRow]:
        rows = []
        for sound, name in enumerate(self._comparison.sounds[:MOST_SOUNDS]):
            waveform, rate = self._comparison.original(sound)
            keys = [f"{side}/{sound}" for side in (_ORIGINAL, *range(len(names)))]
            rows.append(SoundRow(name, len(waveform) / rate, (_ORIGINAL, *names), tuple(keys)))
        return rows

    def _fetch(self, key: str) -> Sound:
        side, _, number = key.partition("/")
        if side == _ORIGINAL:
            waveform, rate = self._comparison.original(int(number))
        else:
            waveform, rate = self._comparison.reconstruction(int(side), int(number))
        return waveform.numpy(), rate

    def saved_html(self) -> str:
        """What a saved notebook shows."""
        return self._comparison._repr_html_()

    def __repr__(self) -> str:
        return repr(self._comparison)


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
