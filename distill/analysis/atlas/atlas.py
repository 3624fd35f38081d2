"""CodebookAtlas: what each entry sounds like, and where and how a corpus uses it."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from distill.analysis.atlas import atlas_file, statistics as code_statistics
from distill.analysis.atlas.moments import Moment
from distill.analysis.atlas.projection import METHODS, mapped
from distill.analysis.compare.identity import ModelIdentity, identify
from distill.arrays import as_place
from distill.codebook.health import LevelHealth, codebook_health
from distill.errors import AtlasError, AtlasModelError, PartError
from distill.health_rows import columns, rows
from distill.models.use.bottlenecks import check_codebooks
from distill.models.use.loaded import LoadedVQModel
from distill.tables import html_page, html_table, text_table
from distill.words import duration


@dataclass(frozen=True, eq=False, repr=False)
class CodebookAtlas:
    """Every level and entry of one model, over one corpus; `build_atlas` makes it.

    Levels, entries, files and steps count from 0. An entry never used has a sound, a picture and
    neighbours all the same, but no moments and no main file (-1).
    """

    model: ModelIdentity
    labels: tuple[str, ...]
    """Names of the levels."""
    sample_rate: int
    """Of the sounds, in Hz."""
    step_seconds: float
    files: tuple[str, ...]
    """Names of the files, below the folder they share."""
    paths: tuple[str, ...]
    """Where they were."""
    file_seconds: np.ndarray
    """(file,) float64."""
    codes: np.ndarray
    """(level, step) of all files one after the other, uint16."""
    starts: np.ndarray
    """The step at which each file begins, and the end: (file + 1,) int64."""
    counts: np.ndarray
    """Uses, (level, entry) int64."""
    embeddings: np.ndarray
    """The entries themselves, (level, entry, dim) float32."""
    nearest: np.ndarray
    """Each entry's nearest others, nearest first, (level, entry, neighbour) int32."""
    nearest_distances: np.ndarray
    """Euclidean, (level, entry, neighbour) float32."""
    sounds: np.ndarray
    """Each entry alone, held, (level, entry, samples) float16."""
    mels: np.ndarray
    """Log-mel pictures of the sounds, about -2 to 2, (level, entry, mels, frames) float16."""
    loudness_db: np.ndarray
    """Of the sounds, relative to full scale, (level, entry) float32."""
    brightness_hz: np.ndarray
    """Their spectral centroid, (level, entry) float32; 0 for silence."""
    main_file: np.ndarray
    """The file that uses an entry most, (level, entry) int32; -1: none does."""
    moment_files: np.ndarray
    """(level, entry, moment) int32, nearest first, -1 where there is none; read `moments`."""
    moment_starts: np.ndarray
    """In steps, (level, entry, moment) int32."""
    moment_lengths: np.ndarray
    """In steps, (level, entry, moment) int32."""
    moment_distances: np.ndarray
    """(level, entry, moment) float32, infinite where there is none."""

    def __post_init__(self) -> None:
        atlas_file.check_shapes(vars(self))

    @property
    def levels(self) -> int:
        """Levels of the model."""
        return self.counts.shape[0]

    @property
    def entries(self) -> int:
        """Entries of a level."""
        return self.counts.shape[1]

    @property
    def steps(self) -> int:
        """Steps of all files together."""
        return self.codes.shape[1]

    @cached_property
    def file_counts(self) -> np.ndarray:
        """Uses in each file, (file, level, entry) int64; counted when first asked for."""
        table = np.zeros((len(self.files), self.levels, self.entries), dtype=np.int64)
        for file, counted in enumerate(table):
            for level, row in enumerate(self.codes_of(file)):
                counted[level] = np.bincount(row, minlength=self.entries)
        return table

    @property
    def health(self) -> tuple[LevelHealth, ...]:
        """How well each level's codebook is used by this corpus."""
        import torch  # an atlas is read without it

        found = codebook_health(torch.from_numpy(self.counts))
        return tuple(
            replace(level, label=label) for level, label in zip(found, self.labels, strict=True)
        )

    def check_model(self, model: LoadedVQModel) -> None:
        """Checks that this atlas is of a model, by its weights; a renamed model is the same.

        Raises:
            ModelTypeError: a model without codebooks; says what serves it.
            AtlasModelError: it shows another; the message names both.
        """
        check_codebooks(model, "an atlas")
        other = identify(model)
        if other.digest != self.model.digest:
            raise AtlasModelError(
                f"an atlas of the model {self.model}, given with the model {other}: build one of "
                "this model, or load the other"
            )

    def codes_of(self, file: int) -> np.ndarray:
        """The codes of a file, (level, step).

        Raises:
            PartError: no such file.
        """
        self._check("file", file, len(self.files))
        return self.codes[:, self.starts[file] : self.starts[file + 1]]

    def sound(self, level: int, entry: int) -> np.ndarray:
        """The sound of an entry, (samples,) float32.

        Raises:
            PartError: no such level or entry.
        """
        self._check_entry(level, entry)
        return self.sounds[level, entry].astype(np.float32)

    def moments(self, level: int, entry: int) -> tuple[Moment, ...]:
        """Where the corpus comes nearest to an entry, nearest first; empty where it is not used.

        Raises:
            PartError: no such level or entry.
        """
        self._check_entry(level, entry)
        found = zip(
            self.moment_files[level, entry].tolist(),
            self.moment_starts[level, entry].tolist(),
            self.moment_lengths[level, entry].tolist(),
            self.moment_distances[level, entry].tolist(),
            strict=True,
        )
        step = self.step_seconds
        return tuple(
            Moment(file, self.files[file], start * step, length * step, distance)
            for file, start, length, distance in found
            if file >= 0
        )

    def coordinates(self, level: int, method: str = "pca") -> np.ndarray:
        """A map of a level's entries: like ones are near each other.

        Args:
            level: from 0.
            method: "pca", or "umap" where the package umap-learn is installed.

        Returns:
            (entry, 2) float32, the same every time.

        Raises:
            PartError: no such level.
            AtlasError: no such method.
            MissingExtraError: "umap" without umap-learn.

        Source: Pearson 1901; McInnes et al. 2018.
        """
        self._check("level", level, self.levels)
        if method not in METHODS:
            raise AtlasError(f"method={method!r}: expected {' or '.join(map(repr, METHODS))}")
        return mapped(self.embeddings[level], method)

    def pairs(self, level_a: int, level_b: int) -> np.ndarray:
        """How often an entry of one level stands at the same step as one of another.

        Returns:
            (entry of level_a, entry of level_b) int64; sums to `steps`.

        Raises:
            PartError: no such level.
            AtlasError: more than 8192 entries.
        """
        for level in (level_a, level_b):
            self._check("level", level, self.levels)
        return code_statistics.pair_counts(self.codes[level_a], self.codes[level_b], self.entries)

    def transitions(self, level: int) -> np.ndarray:
        """How often an entry is followed by another, within files only.

        Returns:
            (entry before, entry after) int64; sums to steps - files.

        Raises:
            PartError: no such level.
            AtlasError: more than 8192 entries.
        """
        self._check("level", level, self.levels)
        return code_statistics.transition_counts(self.codes[level], self.starts, self.entries)

    def rank_frequency(self, level: int) -> np.ndarray:
        """Uses of a level's entries, the most used first, (entry,) int64: Zipf's curve.

        Raises:
            PartError: no such level.
        """
        self._check("level", level, self.levels)
        return np.sort(self.counts[level])[::-1].copy()

    def dead(self, level: int) -> np.ndarray:
        """The entries of a level that are never used, (n,) int64, ascending.

        Raises:
            PartError: no such level.
        """
        self._check("level", level, self.levels)
        return np.flatnonzero(self.counts[level] == 0)

    def file_similarity(self) -> np.ndarray:
        """How alike files are by their code histograms, (file, file) in [0, 1].

        The Bhattacharyya coefficient, averaged over levels; see `histogram_similarity`.
        """
        return code_statistics.histogram_similarity(self.file_counts)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Writes one `.npz`, whole or not at all; returns its path, ending in .npz.

        Args:
            path: of the file.
            overwrite: replace a file that this program did not write.

        Raises:
            OutputExistsError: such a file is there.
            AtlasFileError: it cannot be written.
        """
        return atlas_file.save(vars(self), path, overwrite=overwrite)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> CodebookAtlas:
        """Reads what `save` wrote; nothing in the file is executed.

        Raises:
            AtlasFileError: missing, damaged, of another version, or no atlas.
        """
        return cls(**atlas_file.load(path))

    def _check_entry(self, level: int, entry: int) -> None:
        self._check("level", level, self.levels)
        self._check("entry", entry, self.entries)

    def _check(self, kind: str, number: int, count: int) -> None:
        as_place(number, kind, count, error=PartError)

    def __repr__(self) -> str:
        table = text_table(columns(self.health), rows(self.health))
        return f"CodebookAtlas of {self._title()}\n{table}"

    def _repr_html_(self) -> str:
        table = html_table(columns(self.health), rows(self.health))
        return html_page(f"Codebook atlas of {self._title()}", table)

    def _title(self) -> str:
        sound = duration(float(self.file_seconds.sum()))
        return (
            f"{self.model.name!r} over {len(self.files)} files, {sound}: "
            f"{self.levels} levels × {self.entries} entries"
        )
