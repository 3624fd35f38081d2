"""Corpora as people might have them: clips of a few kinds, a codec of their own, their codes."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from distill.atomic import remove_leftovers, write_atomically
from distill.audio.corpus import AudioCorpus
from distill.config import MOST_COPIES, get_adaptive_vqvae_config
from distill.models.prior.coding import encoded_once
from distill.models.use.loading import load_model_v2
from distill.training.vqvae import train_vqvae
from tools.base.material import Clip

_KINDS, _CLIPS = (1, 6), (12, 31)
_ENTRIES = (128, 256, 256)
"""Of codebooks, as corpora of various sizes have them."""
_STEPS = (1, 20, 60)
"""Of training from the base, codes included, so that priors learn from those of many codecs: hardly
any, where only codebooks are of these clips, to more."""


@dataclass(frozen=True)
class Shape:
    """What the codes of a base are like: steps a second, and levels."""

    name: str
    stride: int
    levels: int


SHAPES = {"coarse": Shape("coarse", 4, 6), "fine": Shape("fine", 2, 3)}
"""Of the base that is the default, and of that of the finer presets."""


@dataclass(frozen=True)
class CorpusPlan:
    """A corpus before it is made."""

    clips: tuple[str, ...]
    """Names of files."""
    entries: int
    steps: int
    copies: tuple[int, ...]
    """Of each clip, which of its copies is encoded too: at another speed, or quieter."""
    seed: int


def plan_corpus(number: int, clips: Sequence[Clip], seed: int) -> CorpusPlan:
    """What is drawn for a corpus; it depends on its number, the clips and the seed alone."""
    rng = np.random.default_rng([seed, number])
    names = sorted(clip.file_name for clip in clips)
    kinds = sorted({clip.kind.name for clip in clips})
    chosen = set(rng.choice(kinds, size=int(rng.integers(*_KINDS)), replace=False).tolist())
    of_kinds = [name for name in names if name.rpartition("-")[0] in chosen]
    count = min(len(of_kinds), int(rng.integers(*_CLIPS)))
    mine = [of_kinds[place] for place in rng.choice(len(of_kinds), size=count, replace=False)]
    entries, steps = int(rng.choice(_ENTRIES)), int(rng.choice(_STEPS))
    copies = tuple(int(rng.integers(MOST_COPIES)) for _ in mine)
    return CorpusPlan(tuple(mine), entries, steps, copies, number)


@dataclass(frozen=True, eq=False)
class CodedCorpus:
    """Codes, and the codebooks that say what they mean."""

    codebooks: Tensor
    """(level, entry, dim) float32."""
    own: tuple[Tensor, ...]
    """(steps, level) int64 of each clip."""
    copies: tuple[Tensor, ...]
    """Likewise, of one copy of each."""


def make_corpora(
    folder: Path, material: Path, clips: Sequence[Clip], shape: Shape, *, count: int, seed: int
) -> Iterator[int]:
    """Makes the corpora that are not there yet.

    Yields:
        The number of corpora that are there, after each.
    """
    folder.mkdir(parents=True, exist_ok=True)
    remove_leftovers(folder)
    for number in range(count):
        path = corpus_path(folder, number)
        if not path.exists():
            _write(path, _made(folder / "run", material, plan_corpus(number, clips, seed), shape))
        yield number + 1


def corpus_path(folder: Path, number: int) -> Path:
    """Where a corpus lies."""
    return folder / f"{number:03d}.npz"


def read_corpus(path: Path) -> CodedCorpus:
    """Reads a corpus that was made here."""
    with np.load(path, allow_pickle=False) as found:
        grids = {name: torch.from_numpy(found[name].astype(np.int64)) for name in found.files[1:]}
        books = torch.from_numpy(found["codebooks"].astype(np.float32))
    own, copies = (
        tuple(grid for name, grid in grids.items() if name.startswith(part))
        for part in ("own", "copy")
    )
    return CodedCorpus(books, own, copies)


def _made(run: Path, material: Path, plan: CorpusPlan, shape: Shape) -> CodedCorpus:
    corpus = AudioCorpus.scan([material / name for name in plan.clips], progress=False)
    if len(corpus) != len(plan.clips):
        raise ValueError(f"{material}: clips cannot be used: {corpus.refusals}")
    config = get_adaptive_vqvae_config(
        len(corpus), corpus.seconds, codebook_size=plan.entries, max_steps=plan.steps,
        stride=shape.stride, levels=shape.levels, preview_every_epochs=0, seed=plan.seed,
        tunes_codes=True,
    )  # fmt: skip
    shutil.rmtree(run, ignore_errors=True)
    codec = load_model_v2(train_vqvae(config, corpus, run, "cpu", start="base").model_path)
    shutil.rmtree(run)
    own, copies = [], []
    for waveform, copy in zip(corpus.waveforms, plan.copies, strict=True):
        own.append(encoded_once(codec, waveform, 0))
        copies.append(encoded_once(codec, waveform, 1 + copy))
    return CodedCorpus(codec.codebooks, tuple(own), tuple(copies))


def _write(path: Path, corpus: CodedCorpus) -> None:
    arrays = {"codebooks": corpus.codebooks.numpy().astype(np.float16)}
    for part, grids in (("own", corpus.own), ("copy", corpus.copies)):
        for number, grid in enumerate(grids):
            arrays[f"{part}{number:03d}"] = grid.numpy().astype(np.uint16)
    memory = io.BytesIO()
    np.savez_compressed(memory, **arrays)  # type: ignore[arg-type]
    with write_atomically(path) as file:
        file.write(memory.getvalue())
