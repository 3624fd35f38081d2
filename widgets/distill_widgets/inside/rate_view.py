"""RateView: what the bits of a model buy, and the sounds that come back worst, to listen to."""

from __future__ import annotations

from typing import Any

from distill.analysis.compare.identity import identify
from distill.analysis.compare.rate import FileRate, RateReport
from distill.analysis.sound.sound_cache import SoundCache
from distill.audio.corpus import AudioCorpus
from distill.audio.io import read_part
from distill.errors import ComparisonError
from distill.models.use.bottlenecks import check_codebooks
from distill.models.use.loaded import LoadedVQModel
from distill_widgets.charts.chart import Chart
from distill_widgets.charts.live_chart import LiveChart
from distill_widgets.page.controls import Html
from distill_widgets.page.markup import plain_table
from distill_widgets.page.palette import ACCENT, MUTED
from distill_widgets.page.plotly_text import NO_EXTRA
from distill_widgets.page.view import View
from distill_widgets.sounds.audio_player import AudioPlayer, Sound, SoundRow

LONGEST_S = 20.0
"""Of a long recording its beginning is played."""
_CACHE_BYTES = 64 << 20


class RateView(View):
    """A table and a curve of distance against bits, and the worst sounds with original and copy.

    Args:
        report: by `rate_distortion`.
        model: the one it is of.
        corpus: the one it was measured on.
        worst: how many sounds there are to listen to.

    Raises:
        ModelTypeError: a model without codebooks; says what serves it.
        ComparisonError: the report is of another model or of another corpus.

    Example:
        `RateView(rate_distortion(model, corpus), model, corpus)`, as the last line of a cell.
    """

    def __init__(
        self, report: RateReport, model: LoadedVQModel, corpus: AudioCorpus, *, worst: int = 10
    ) -> None:
        _check(report, model, corpus)
        self._model, self._corpus = model, corpus
        self._made = SoundCache(_CACHE_BYTES)
        self.player = AudioPlayer(
            self._fetch,
            [_row(file) for file in report.worst(worst)],
            spectrogram=model.config.spectrogram,
            name="Worst first",
        )
        parts = [
            Html(plain_table(report.columns, report.rows(), title=_title(report))),
            LiveChart(rate_chart(report)),
            self.player,
        ]
        super().__init__(parts, "distill-card")
        self._report = report

    def _fetch(self, key: str) -> Sound:
        side, _, number = key.partition("/")
        waveform, rate = read_part(self._corpus.files[int(number)].path, 0, LONGEST_S)
        if side == "original":
            return waveform.numpy(), rate
        made = self._made.get((number,), lambda: self._model.reconstruct(waveform, rate)[0])
        return made.numpy(), rate

    def saved_html(self) -> str:
        """What a saved notebook shows."""
        return self._report._repr_html_()

    def __repr__(self) -> str:
        return repr(self._report)


def rate_chart(report: RateReport) -> Chart:
    """Two-scale mel distance against the bits a second that the codes hold, a level a point."""
    traces: list[dict[str, Any]] = [
        {"name": "with 1, 2 … levels", "mode": "lines+markers", "marker": {"size": 8}}
        | {"line": {"color": ACCENT, "width": 2.2}}
        | {"hovertemplate": "%{x:.0f} bit/s: %{y:.3f}" + NO_EXTRA},
        {"name": "the vocoder alone", "line": {"color": MUTED, "width": 1, "dash": "dash"}}
        | {"hovertemplate": "nothing lost but by the vocoder: %{y:.3f}" + NO_EXTRA},
    ]
    layout = {
        "margin": {"l": 44, "r": 8, "t": 32, "b": 36},
        "hovermode": "closest",
        "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"},
        "xaxis": {"domain": [0, 1], "anchor": "y", "rangemode": "tozero"}
        | {"title": {"text": "bit/s, as much as the codes really say", "standoff": 6}},
        "yaxis": {"domain": [0, 1], "anchor": "x", "rangemode": "tozero", "nticks": 5},
    }
    chart = Chart(traces, layout, name="Distance against bits", height_px=260)
    chart.append(0, report.entropy_bps, report.two_scale_mel)
    floor = report.floor["two_scale_mel"]
    chart.append(1, [0, float(report.entropy_bps[-1])], [floor, floor])
    return chart


def _title(report: RateReport) -> str:
    return f"What the bits of {report.model.name} buy on {len(report.files)} files"


def _row(file: FileRate) -> SoundRow:
    return SoundRow(
        f"{file.two_scale_mel[-1]:.2f}  {file.name}",
        min(file.seconds, LONGEST_S),
        ("original", "reconstruction"),
        (f"original/{file.file}", f"made/{file.file}"),
    )


def _check(report: RateReport, model: LoadedVQModel, corpus: AudioCorpus) -> None:
    check_codebooks(model, "RateView")
    other = identify(model)
    if other.digest != report.model.digest:
        raise ComparisonError(
            f"a report of the model {report.model}, given with the model {other}: measure this "
            "one, or load the other"
        )
    lengths = [(file.file, file.seconds) for file in report.files]
    if lengths != [(number, file.seconds) for number, file in enumerate(corpus.files)]:
        raise ComparisonError(
            f"a report on {len(lengths)} files, given with a corpus of {len(corpus)} that are not "
            "the same: give the corpus that was measured"
        )
