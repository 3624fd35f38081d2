"""CodeCorpus: a folder's recordings as codes of a model, which a prior learns from."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor
from tqdm.auto import tqdm

from distill.arrays import as_count
from distill.audio.corpus import AudioCorpus, AudioFile, Source
from distill.audio.split import Split
from distill.config import MOST_COPIES
from distill.config.conditions import MOST_CLASSES
from distill.errors import ConfigError
from distill.models.prior.coding import encoded_copies
from distill.models.prior.sounds import CodedSound
from distill.models.use.bottlenecks import check_codebooks
from distill.models.use.loaded import LoadedVQModel
from distill.models.use.side_by_side import side_by_side
from distill.names import printable
from distill.words import duration


@dataclass(frozen=True, repr=False)
class CodeCorpus:
    """Recordings as codes, encoded once and kept on disk by what they sound like."""

    audio: AudioCorpus
    """What they were made of."""
    sounds: tuple[CodedSound, ...]
    """One for each file of `audio`."""
    digest: str
    """Of the model whose codes they are."""
    step_seconds: float

    @classmethod
    def encode(
        cls,
        model: LoadedVQModel,
        source: Source | AudioCorpus,
        *,
        copies: int = MOST_COPIES,
        cache_dir: Path | None = None,
        progress: bool = True,
    ) -> CodeCorpus:
        """Encodes recordings, or finds their codes on the disk.

        Args:
            model: whose codes.
            source: a folder, a file, several of either, or a corpus scanned before.
            copies: of each recording to encode too: at four other speeds, and at half its level.
            cache_dir: default `distill.audio.cache.audio_cache_dir()`.
            progress: shows a bar when it takes longer than half a second.

        Raises:
            ModelTypeError: a model without codebooks.
            ConfigError: copies that there are not.
            CorpusError: nothing there is usable.
        """
        check_codebooks(model, "CodeCorpus.encode(model, sounds)")
        count = as_count(copies, "copies", MOST_COPIES, least=0, error=ConfigError)
        audio = as_corpus(source, model.sample_rate, progress=progress)
        names = [file.path.name for file in audio.files]
        sounds = coded(model, audio.waveforms, names, count, cache_dir, progress=progress)
        return cls(audio, sounds, model.digest, 1 / model.config.step_rate_hz)

    @property
    def steps(self) -> int:
        """Of all recordings together, without their copies."""
        return sum(sound.steps for sound in self.sounds)

    @property
    def seconds(self) -> float:
        """Length of all recordings together."""
        return self.audio.seconds

    def __len__(self) -> int:
        return len(self.sounds)

    def __repr__(self) -> str:
        copies = sum(len(sound.grids) - 1 for sound in self.sounds)
        steps = f"{self.steps:,} steps of {1000 * self.step_seconds:.3g} ms"
        return (
            f"CodeCorpus({len(self)} recordings, {duration(self.seconds)} of sound, {steps} as "
            f"codes, {copies} copies)"
        )


def as_corpus(
    source: Source | AudioCorpus | CodeCorpus, sample_rate: int, *, progress: bool = False
) -> AudioCorpus:
    """Recordings at a rate: what was scanned for it before, or scanned now.

    Raises:
        CorpusError: nothing there is usable.
    """
    found = source.audio if isinstance(source, CodeCorpus) else source
    if isinstance(found, AudioCorpus) and found.sample_rate == sample_rate:
        return found
    if not isinstance(found, AudioCorpus):
        return AudioCorpus.scan(found, sample_rate=sample_rate, progress=progress)
    groups = {file.path: file.group for file in found.files}  # it was scanned for another rate
    again = AudioCorpus.scan(list(groups), sample_rate=sample_rate, progress=progress)
    files = tuple(replace(file, group=groups[file.path]) for file in again.files)
    return replace(again, files=files, places=found.places)


def learned_files(corpus: AudioCorpus, split: Split) -> list[AudioFile]:
    """The recordings that a prior learns from."""
    held_out = set(split.validation_files)
    learned = [file for index, file in enumerate(corpus.files) if index not in held_out]
    return learned or list(corpus.files)  # one recording: of which the end is held out


def learned_names(corpus: AudioCorpus, split: Split) -> list[str]:
    """File names of the recordings that a prior learns from."""
    return [file.path.name for file in learned_files(corpus, split)]


def classes_of(corpus: AudioCorpus) -> tuple[str, ...]:
    """The folders that recordings lie in, by name; of very many those with most recordings."""
    counted = Counter(file.group for file in corpus.files if file.group)
    return tuple(sorted(name for name, _ in counted.most_common(MOST_CLASSES)))


def coded(
    model: LoadedVQModel,
    waveforms: Iterable[Tensor],
    names: Sequence[str],
    copies: int,
    cache_dir: Path | None = None,
    *,
    progress: bool = False,
) -> tuple[CodedSound, ...]:
    """Waveforms as codes; see `encoded_copies`.

    Args:
        model: whose codes.
        waveforms: (samples,) each, at its rate, with a peak of 1.
        names: one for each, for people.
        copies: of each.
        cache_dir: where codes are kept.
        progress: shows a bar.
    """

    def sound(named: tuple[str, Tensor]) -> CodedSound:
        name, waveform = named
        return CodedSound(printable(name), encoded_copies(model, waveform, copies, cache_dir))

    made = side_by_side(sound, zip(names, waveforms, strict=True), device=model.device)
    shown = tqdm(
        made,
        total=len(names),
        desc="Encoding sounds",
        unit="file",
        delay=0.5,
        leave=False,
        disable=not progress,
    )
    with contextlib.closing(made):
        return tuple(shown)
