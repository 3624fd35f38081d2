"""Builds an atlas: one pass over a corpus, file by file, and one over the codebooks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from distill.analysis.atlas.atlas import CodebookAtlas
from distill.analysis.atlas.moments import MomentFinder
from distill.analysis.atlas.statistics import neighbours
from distill.analysis.compare.identity import identify
from distill.analysis.progress_bar import bar
from distill.analysis.sound.entry_sounds import (
    HELD_S,
    entry_columns,
    held_steps,
    samples_per_step,
    sound_of_mel,
)
from distill.analysis.unique_names import short_names
from distill.audio.corpus import AudioCorpus
from distill.audio.sound_features import brightness_hz, loudness_db
from distill.errors import AtlasError
from distill.models.use.bottlenecks import check_codebooks
from distill.models.use.loaded import LoadedVQModel

_NEIGHBOURS = 8
_MOST_BYTES = 2 << 30  # of sounds and pictures


def build_atlas(
    model: LoadedVQModel, corpus: AudioCorpus, *, progress: bool = True
) -> CodebookAtlas:
    """Listens to every entry of a model and finds where a corpus uses it.

    Files are encoded one by one as `model.encode` does, whatever the size of the corpus; of each
    stay its codes, two bytes a level and step.

    Args:
        model: on any device.
        corpus: recordings at any sample rate.
        progress: shows a bar when it takes longer than half a second.

    Raises:
        ModelTypeError: a model without codebooks; says what serves it.
        AtlasError: so many entries that their sounds would not fit into memory.
        UninitialisedError: the model was never trained.
    """
    check_codebooks(model, "build_atlas")
    _check_size(model)
    survey = _Survey(model, len(corpus))
    waveforms = bar(corpus.waveforms, len(corpus), "Encoding", "file", progress)
    for file, waveform in enumerate(waveforms):
        survey.add(file, waveform, corpus.sample_rate)
    return CodebookAtlas(
        model=identify(model),
        labels=model.level_labels,
        sample_rate=model.sample_rate,
        step_seconds=1 / model.config.step_rate_hz,
        files=short_names([file.path for file in corpus.files]),
        paths=tuple(str(file.path.absolute()) for file in corpus.files),
        file_seconds=np.array([file.seconds for file in corpus.files]),
        **survey.results(),
        **_entry_vectors(model),
        **_entry_sounds(model, progress),
    )


@dataclass
class _Survey:
    """What a pass over the files collects."""

    model: LoadedVQModel
    files: int

    def __post_init__(self) -> None:
        shape = self.model.shape
        self.counts = np.zeros(shape, np.int64)
        self.most = np.zeros(shape, np.int64)
        self.main_file = np.full(shape, -1, np.int32)
        self.moments = MomentFinder(*shape)
        self.codes: list[np.ndarray] = []

    def add(self, file: int, waveform: Tensor, sample_rate: int) -> None:
        latent = self.model.latent(waveform, sample_rate)
        codes, distances = _codes_and_distances(self.model, latent)
        self.codes.append(codes.astype(np.uint16))
        self.moments.add(file, codes, distances)
        counted = np.stack([np.bincount(row, minlength=self.counts.shape[1]) for row in codes])
        self.counts += counted
        more = counted > self.most
        self.most[more], self.main_file[more] = counted[more], file

    def results(self) -> dict[str, Any]:
        lengths = [codes.shape[1] for codes in self.codes]
        return {
            "codes": np.concatenate(self.codes, axis=1),
            "starts": np.cumsum([0, *lengths], dtype=np.int64),
            "counts": self.counts,
            "main_file": self.main_file,
            "moment_files": self.moments.files,
            "moment_starts": self.moments.starts,
            "moment_lengths": self.moments.lengths,
            "moment_distances": self.moments.distances,
        }


@torch.no_grad()
def _codes_and_distances(model: LoadedVQModel, latent: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Codes of a latent (dim, steps), and how far each entry is from what it stands for: both
    (level, step).
    """
    indices = model.indices_of(latent)
    left, distances = latent.float(), []
    for entries in model.embeddings_of(indices):
        left = left - entries
        distances.append(left.norm(dim=0))
    return indices.cpu().numpy(), torch.stack(distances).cpu().numpy()


def _entry_vectors(model: LoadedVQModel) -> dict[str, np.ndarray]:
    vectors = model.codebooks.numpy()
    count = min(_NEIGHBOURS, vectors.shape[1] - 1)
    found = [neighbours(level, count) for level in vectors]
    return {
        "embeddings": vectors,
        "nearest": np.stack([nearest for nearest, _ in found]),
        "nearest_distances": np.stack([distances for _, distances in found]),
    }


def _entry_sounds(model: LoadedVQModel, progress: bool) -> dict[str, np.ndarray]:
    """The sound of every entry, its picture and what can be measured of it."""
    levels, entries = model.shape
    sounds = np.zeros((levels, entries, _samples(model)), np.float16)
    mels = np.zeros((levels, entries, *_picture(model)), np.float16)
    loudness, brightness = (np.zeros((levels, entries), np.float32) for _ in range(2))
    held = bar(_held_entries(model), levels * entries, "Sounding", "entry", progress)
    for level, entry, mel in held:
        sound = sound_of_mel(model, mel).numpy()
        sounds[level, entry], mels[level, entry] = sound, mel.cpu().numpy()
        loudness[level, entry] = loudness_db(sound)
        brightness[level, entry] = brightness_hz(sound, model.sample_rate)
    return {"sounds": sounds, "mels": mels, "loudness_db": loudness, "brightness_hz": brightness}


def _held_entries(model: LoadedVQModel) -> Iterator[tuple[int, int, Tensor]]:
    levels, entries = model.shape
    steps = held_steps(model, HELD_S)
    for level in range(levels):
        for start in range(0, entries, 256):
            wanted = range(start, min(start + 256, entries))
            pictures = model.decode_columns(entry_columns(model, level, wanted), steps)
            yield from ((level, entry, mel) for entry, mel in zip(wanted, pictures, strict=True))


def _check_size(model: LoadedVQModel) -> None:
    levels, entries = model.shape
    mels, frames = _picture(model)
    needed = levels * entries * (_samples(model) + mels * frames) * 2
    if needed > _MOST_BYTES:
        raise AtlasError(
            f"{levels} levels × {entries} entries: their sounds would take {needed / 1e9:.1f} GB, "
            f"at most {_MOST_BYTES / 1e9:.1f} GB are kept; hear entries one by one with entry_sound"
        )


def _samples(model: LoadedVQModel) -> int:
    return held_steps(model, HELD_S) * samples_per_step(model)


def _picture(model: LoadedVQModel) -> tuple[int, int]:
    config = model.config
    return config.spectrogram.n_mels, held_steps(model, HELD_S) * config.stride
