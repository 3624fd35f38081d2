"""What the bits buy: how near a model comes with its first level, the first two, and so on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from distill.analysis.compare.bit_rates import entropy_bps, nominal_bps
from distill.analysis.compare.distances import METRIC_NAMES, METRICS, distances
from distill.analysis.compare.identity import ModelIdentity, identify
from distill.analysis.progress_bar import bar
from distill.analysis.unique_names import short_names
from distill.audio.corpus import AudioCorpus
from distill.audio.io import resample
from distill.audio.vocoder import GriffinLimVocoder
from distill.codebook.codes import NO_CODE
from distill.codebook.counts import count_codes
from distill.markup import tag
from distill.models.use.bottlenecks import check_codebooks
from distill.models.use.loaded import LoadedVQModel
from distill.models.use.side_by_side import LONG_S, MOST, side_by_side
from distill.tables import html_page, html_table, text_table
from distill.words import duration

_COLUMNS = ("levels", "bit/s", "entropy bit/s", *METRIC_NAMES.values())
_WORST_SHOWN = 5


@dataclass(frozen=True, eq=False)
class FileRate:
    """One recording through 1 … Q levels."""

    name: str
    file: int
    """Its number in the corpus."""
    seconds: float
    two_scale_mel: np.ndarray
    """(level,) distance with the first 1 … Q levels, end to end through the vocoder."""
    mel: np.ndarray
    """Likewise, over seven scales."""
    stft: np.ndarray
    """Likewise, on spectra."""
    entropy_bps: np.ndarray
    """(level,) bits a second of this recording; see `distill.analysis.compare.bit_rates`."""
    floor: dict[str, float]
    """Of each distance, what the vocoder alone loses: the true log-mel through it."""


@dataclass(frozen=True, eq=False, repr=False)
class RateReport:
    """What the bits of a model buy on a corpus; `rate_distortion` makes it."""

    model: ModelIdentity
    labels: tuple[str, ...]
    """Names of the levels."""
    nominal_bps: np.ndarray
    """(level,) bits a second of the first 1 … Q levels, all codes alike."""
    entropy_bps: np.ndarray
    """(level,) the entropy of the codes of all files."""
    files: tuple[FileRate, ...]
    metrics: tuple[str, ...] = METRICS
    """Names of the distances, as attributes of this and of every file."""

    @property
    def levels(self) -> int:
        """Levels of the model."""
        return len(self.labels)

    @property
    def two_scale_mel(self) -> np.ndarray:
        """(level,) mean over files of the two-scale mel distance."""
        return self._mean("two_scale_mel")

    @property
    def mel(self) -> np.ndarray:
        """(level,) mean over files of the mel distance."""
        return self._mean("mel")

    @property
    def stft(self) -> np.ndarray:
        """(level,) mean over files of the STFT distance."""
        return self._mean("stft")

    @property
    def floor(self) -> dict[str, float]:
        """Of each distance, the mean over files of what the vocoder alone loses."""
        return {m: float(np.mean([file.floor[m] for file in self.files])) for m in self.metrics}

    def worst(self, n: int = 10) -> tuple[FileRate, ...]:
        """The `n` files that come back worst with all levels, by two-scale mel, worst first."""
        ordered = sorted(self.files, key=lambda file: file.two_scale_mel[-1], reverse=True)
        return tuple(ordered[: max(n, 0)])

    def _mean(self, metric: str) -> np.ndarray:
        return np.mean([getattr(file, metric) for file in self.files], axis=0)

    @property
    def columns(self) -> tuple[str, ...]:
        """Headings of the table of `rows`."""
        return _COLUMNS

    def rows(self) -> list[list[str]]:
        """A row for the first 1 … Q levels each, and one of what the vocoder alone loses."""
        means = [getattr(self, metric) for metric in self.metrics]
        rows = [
            [
                f"1–{level + 1} … {label}" if level else f"1 {label}",
                f"{self.nominal_bps[level]:.0f}",
                f"{self.entropy_bps[level]:.0f}",
                *(f"{mean[level]:.3f}" for mean in means),
            ]
            for level, label in enumerate(self.labels)
        ]
        floor = self.floor
        return [
            *rows,
            ["vocoder alone", "", "", *(f"{floor[metric]:.3f}" for metric in self.metrics)],
        ]

    def _title(self) -> str:
        sound = duration(sum(file.seconds for file in self.files))
        return f"{self.model.name!r} on {len(self.files)} files, {sound}"

    def __repr__(self) -> str:
        return f"RateReport of {self._title()}\n{text_table(self.columns, self.rows())}"

    def _repr_html_(self) -> str:
        worst = [
            [file.name, duration(file.seconds), f"{file.two_scale_mel[-1]:.3f}"]
            for file in self.worst(_WORST_SHOWN)
        ]
        return html_page(
            f"What the bits buy: {self._title()}",
            html_table(self.columns, self.rows()),
            tag("p", "Worst first"),
            html_table(("file", "length", METRIC_NAMES["two_scale_mel"]), worst),
        )


def rate_distortion(
    model: LoadedVQModel, corpus: AudioCorpus, *, progress: bool = True
) -> RateReport:
    """Hears every file through the first 1 … Q levels and measures how near it comes.

    The codes are those of all levels: chosen to be good together, the first ones alone are a
    little worse than a model of fewer levels would be.

    Args:
        model: on any device.
        corpus: recordings at any sample rate; compared at the model's.
        progress: shows a bar when it takes longer than half a second.

    Raises:
        ModelTypeError: a model without codebooks; says what serves it.
        UninitialisedError: the model was never trained.
    """
    check_codebooks(model, "rate_distortion")
    measured, counts, lengths = [], [], []

    def measure(waveform: Tensor) -> tuple[Tensor, np.ndarray]:
        return _measure(model, resample(waveform, corpus.sample_rate, model.sample_rate))

    # A vocoder of somebody's own may not be made for several sounds at a time.
    is_ours = isinstance(model.vocoder, GriffinLimVocoder)
    is_long = max(file.seconds for file in corpus.files) > LONG_S
    most = MOST if is_ours and not is_long else 1
    measures = side_by_side(measure, corpus.waveforms, device=model.device, most=most)
    with contextlib.closing(measures):
        for indices, rows in bar(measures, len(corpus), "Measuring", "file", progress):
            measured.append(rows)
            counts.append(count_codes(indices, model.config.codebook_size).numpy())
            lengths.append(indices.shape[1])
    together, steps = np.stack(counts), np.array(lengths)
    entropy = entropy_bps(together, steps, model.config.step_rate_hz)
    names = short_names([file.path for file in corpus.files])
    files = tuple(
        FileRate(
            name=names[number],
            file=number,
            seconds=corpus.files[number].seconds,
            **{metric: rows[:-1, column] for column, metric in enumerate(METRICS)},
            entropy_bps=entropy[number],
            floor=dict(zip(METRICS, rows[-1].tolist(), strict=True)),
        )
        for number, rows in enumerate(measured)
    )
    return RateReport(
        model=identify(model),
        labels=model.level_labels,
        nominal_bps=nominal_bps(model.config),
        entropy_bps=np.average(entropy, axis=0, weights=steps),
        files=files,
    )


@torch.no_grad()
def _measure(model: LoadedVQModel, sound: Tensor) -> tuple[Tensor, np.ndarray]:
    """Codes of a sound, (level, step), and its distances, (level + 1, metric): the last row is
    the floor.
    """
    peak = sound.abs().max().clamp(min=1e-12).item()
    indices = model.encode(sound, model.sample_rate).indices.to(model.device)
    true_mel = model.spectrogram(sound.to(model.device) / peak)
    rows = []
    for mel in (*_first_levels(model, indices), true_mel):
        made = model.vocoder(mel[:, : true_mel.shape[1]], len(sound)).cpu() * peak
        rows.append(distances(sound, made, model.sample_rate))
    return indices.cpu(), np.array(rows)


def _first_levels(model: LoadedVQModel, indices: Tensor) -> Iterator[Tensor]:
    """What the first 1 … Q levels of codes decode to, "no code" at the others."""
    for levels in range(1, len(indices) + 1):
        first = indices.clone()
        first[levels:] = NO_CODE
        yield model.mel_of(first)
