"""Models side by side: health, distances, curves, and the same sounds through each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from distill.analysis.compare.bit_rates import entropy_bps, nominal_bps
from distill.analysis.compare.distances import METRIC_NAMES, METRICS, distances
from distill.analysis.compare.sources import (
    ModelSource,
    NamedSound,
    SoundSource,
    marks_of,
    open_models,
    open_sounds,
)
from distill.analysis.progress_bar import bar
from distill.analysis.sound.sound_cache import CACHE_BYTES, SoundCache
from distill.analysis.unique_names import numbered
from distill.codebook.codes import Codes
from distill.codebook.counts import count_codes
from distill.codebook.health import codebook_health
from distill.errors import PartError
from distill.family import family_of
from distill.health_rows import Health, entropies
from distill.markup import tag
from distill.models.use.base import LoadedModel
from distill.models.use.sounds import fitted
from distill.tables import html_page, html_table, text_table
from distill.training.run.marks import Mark, marks_in_numbers, marks_in_words

_COLUMNS = (
    *("model", "bottleneck", "bit/s", "entropy bit/s", *METRIC_NAMES.values()),
    *("used", "entropy/bits", "best validation"),
)


_BY_EAR = "by ear"


@dataclass(frozen=True, eq=False)
class ComparedModel:
    """One model of a comparison, over the sounds compared."""

    name: str
    """A number is added where another model has it already."""
    model: LoadedModel[Any]
    health: tuple[Health, ...]
    """Of its codes of these sounds; of a model without codes what its file says of its training."""
    two_scale_mel: np.ndarray
    """(sound,) distances, each sound brought to a peak of 1, at the sound's own rate."""
    mel: np.ndarray
    """Likewise, over seven scales."""
    stft: np.ndarray
    """Likewise, on spectra."""
    nominal_bps: float | None = None
    """None for a model without codes."""
    entropy_bps: float | None = None
    """Of its codes of these sounds."""
    marks: Mapping[str, Mark] = field(default_factory=dict)
    """What somebody called good or bad by ear, by the names of the previews of its run; empty where
    nobody did, or its file does not lie in the folder of its run."""

    @property
    def curves(self) -> dict[str, list[float]]:
        """Per epoch of its training: epoch, train, val, and each part of its loss; {} where its
        file does not say.
        """
        return self.model.loss_curves

    @property
    def parameters(self) -> int:
        """Numbers that training learns."""
        return self.model.parameters

    @property
    def best_validation(self) -> float | None:
        """The lowest validation loss of its training; other settings may count it otherwise."""
        values = np.array(self.curves.get("val", []), dtype=float)
        return float(np.nanmin(values)) if np.isfinite(values).any() else None


class Comparison:
    """Models side by side; `compare` makes it."""

    def __init__(self, models: Sequence[ComparedModel], sounds: Sequence[NamedSound]) -> None:
        self.models = tuple(models)
        self.sounds = tuple(sound.name for sound in sounds)
        self._sounds = tuple(sounds)
        self._cache = SoundCache(CACHE_BYTES)

    @property
    def columns(self) -> tuple[str, ...]:
        """Headings of the table of `rows`."""
        return (*_COLUMNS, *([_BY_EAR] if self._is_marked else []))

    def rows(self) -> list[list[str]]:
        """A row a model: its size, its bits, its mean distances, how its codebooks are used."""
        return [
            [*_row(one), *([marks_in_numbers(one.marks)] if self._is_marked else [])]
            for one in self.models
        ]

    @property
    def marks(self) -> list[str]:
        """Which sounds somebody called good or bad by ear, a line for each model that has any."""
        return [f"{one.name}: {marks_in_words(one.marks)}" for one in self.models if one.marks]

    @property
    def _is_marked(self) -> bool:
        return any(one.marks for one in self.models)

    def original(self, sound: int) -> tuple[Tensor, int]:
        """A sound as it came in, (samples,) float32, and its rate.

        Raises:
            PartError: no such sound.
        """
        self._check("sound", sound, len(self.sounds))
        return self._sounds[sound].waveform, self._sounds[sound].sample_rate

    def reconstruction(self, model: int, sound: int) -> tuple[Tensor, int]:
        """A sound through a model, of the same length, rate and loudness, made when asked for.

        Raises:
            PartError: no such model or sound.
        """
        self._check("model", model, len(self.models))
        waveform, rate = self.original(sound)
        loaded = self.models[model].model
        return self._cache.get((model, sound), lambda: loaded.reconstruct(waveform, rate)[0]), rate

    def _check(self, kind: str, number: int, count: int) -> None:
        if not 0 <= number < count:
            raise PartError(f"{kind}={number}: expected 0 to {count - 1}")

    def __repr__(self) -> str:
        lines = [self._title(), text_table(self.columns, self.rows()), *self.marks]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        said = [tag("p", line) for line in self.marks]
        return html_page(self._title(), html_table(self.columns, self.rows()), *said)

    def _title(self) -> str:
        return f"Comparison of {len(self.models)} models on {len(self.sounds)} sounds"


def compare(
    models: ModelSource | Sequence[ModelSource] | Mapping[str, ModelSource],
    sounds: SoundSource,
    *,
    progress: bool = True,
) -> Comparison:
    """Sends the same sounds through several models and measures all alike.

    The models may differ in everything; each hears the sounds at its own rate, and distances are
    taken at the rate of the sound.

    Args:
        models: loaded ones, `.distill` files, run folders (their model) or checkpoints inside run
            folders (the weights at that step); or a mapping from the names to show.
        sounds: a corpus, a folder, paths, or a mapping from name to (waveform, sample rate).
        progress: shows a bar when it takes longer than half a second.

    Raises:
        ComparisonError: no models, no sounds, or something that is neither.
        ModelFileError, RunFolderError, CheckpointError: a model cannot be loaded.
        AudioFileError, CorpusError: a sound cannot be read.
        ShapeError, ConfigError: a waveform is not mono, or its rate is none.
    """
    opened, found = open_models(models), open_sounds(sounds)
    names = numbered(name for name, _ in opened)
    work = [(model, sound) for _, model in opened for sound in found]
    done = iter(bar(work, len(work), "Comparing", "sound", progress))
    compared = []
    for name, (_, model) in zip(names, opened, strict=True):
        measured = [_measure(*next(done)) for _ in found]
        compared.append(_compared(name, model, measured))
    next(done, None)  # lets the bar close
    return Comparison(compared, found)


def _compared(
    name: str, model: LoadedModel[Any], measured: list[tuple[np.ndarray | None, tuple[float, ...]]]
) -> ComparedModel:
    columns = np.array([rows for _, rows in measured]).T
    near = dict(zip(METRICS, columns, strict=True))
    counted = [counts for counts, _ in measured if counts is not None]
    if not counted:
        return ComparedModel(name, model, model.health, **near, marks=marks_of(model))
    config, counts = model.config, np.stack(counted)
    steps = counts[:, 0].sum(axis=1)
    entropy = entropy_bps(counts, steps, config.step_rate_hz)[:, -1]
    return ComparedModel(
        name,
        model,
        codebook_health(torch.from_numpy(counts.sum(axis=0))),
        **near,
        nominal_bps=float(nominal_bps(config)[-1]),
        entropy_bps=float(np.average(entropy, weights=steps)),
        marks=marks_of(model),
    )


def _measure(
    model: LoadedModel[Any], sound: NamedSound
) -> tuple[np.ndarray | None, tuple[float, ...]]:
    """How often each entry is used in a sound, (level, entry), and its distances."""
    peak = float(sound.waveform.abs().max()) or 1.0
    loud = sound.waveform / peak
    encoded = model.encode(loud, sound.sample_rate)
    made = fitted(*model.decode(encoded), len(loud), sound.sample_rate)
    near = distances(loud, made, sound.sample_rate)
    if not isinstance(encoded, Codes):
        return None, near
    return count_codes(encoded.indices, encoded.codebook_size).numpy(), near


def _row(one: ComparedModel) -> list[str]:
    means = [float(getattr(one, metric).mean()) for metric in METRICS]
    best = one.best_validation
    return [
        one.name,
        _bottleneck(one.model),
        *("" if bits is None else f"{bits:.0f}" for bits in (one.nominal_bps, one.entropy_bps)),
        *(f"{mean:.3f}" for mean in means),
        " ".join(f"{row.used:.0%}" for row in one.health),
        entropies(one.health),
        "" if best is None else f"{best:.4f}",
    ]


def _bottleneck(model: LoadedModel[Any]) -> str:
    """The beginning of the first fact of its family: 3 levels × 256 entries, or 32 dimensions."""
    of = family_of(model.config)
    facts = of.facts(model.config)
    return facts[0][1].partition(",")[0] if facts else of.title
