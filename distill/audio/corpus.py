"""AudioCorpus: a folder of recordings, each either used or refused with its reason."""

from __future__ import annotations

import dataclasses
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor
from tqdm.auto import tqdm

from distill.audio import report
from distill.audio.cache import audio_cache_dir
from distill.audio.corpus_decoder import MINIMUM_S, AudioFile as AudioFile, Keeper
from distill.audio.decoded_sounds import DecodedSounds
from distill.audio.file_search import (
    Refusal as Refusal,
    Source as Source,
    as_places as as_places,
    describe_source as describe_source,
    find_files as find_files,
)
from distill.audio.groups import Groups
from distill.audio.split import Split, split_by_content
from distill.errors import CorpusError
from distill.names import printable

DEFAULT_MEMORY_BYTES = 2 << 30


@dataclass(frozen=True, repr=False)
class AudioCorpus:
    """Recordings, decoded once: mono, at one sample rate, each normalised to a peak of 1."""

    files: tuple[AudioFile, ...]
    waveforms: tuple[Tensor, ...]
    """(samples,) float32, one for each of `files`."""
    refusals: tuple[Refusal, ...]
    sample_rate: int
    places: tuple[Path, ...] = ()
    """Where they were looked for."""

    @classmethod
    def scan(
        cls,
        source: Source,
        *,
        sample_rate: int = 48_000,
        memory_bytes: int = DEFAULT_MEMORY_BYTES,
        cache_dir: Path | None = None,
        workers: int | None = None,
        progress: bool = True,
        cancel_event: threading.Event | None = None,
        decoded: DecodedSounds | None = None,
    ) -> AudioCorpus:
        """Finds, checks and decodes recordings.

        Args:
            source: a folder (searched at every depth, hidden files ignored), a file, or several.
            sample_rate: every sound is resampled to it.
            memory_bytes: waveforms beyond this are memory-mapped from `cache_dir`.
            cache_dir: default `distill.audio.cache.audio_cache_dir()`.
            workers: decoding threads; default one a core.
            progress: shows a bar when it takes longer than half a second.
            cancel_event: once set, reading ends after the files that are being read.
            decoded: what another process has decoded of them; see `handover`.

        Raises:
            CorpusError: nothing there is usable, and the message lists why; or it was cancelled.
        """
        if not isinstance(source, (str, os.PathLike)):
            source = as_places(source)  # a generator is read once, the message may need it again
        paths, refusals = find_files(source, cancel_event)
        keeper = Keeper(sample_rate, memory_bytes, cache_dir or audio_cache_dir(), decoded)
        with ThreadPoolExecutor(workers or os.cpu_count(), "distill-decode") as pool:
            results = tqdm(
                pool.map(keeper.load, paths),
                total=len(paths),
                desc="Reading sounds",
                unit="file",
                delay=0.5,
                leave=False,
                disable=not progress,
            )
            loaded = []
            for result in results:
                loaded.append(result)
                if cancel_event is not None and cancel_event.is_set():
                    results.close()
                    pool.shutdown(cancel_futures=True)
                    raise CorpusError(f"{describe_source(source)}: reading was cancelled")
        files: list[AudioFile] = []
        waveforms: list[Tensor] = []
        seen: dict[str, str] = {}
        for result in loaded:  # in the order of `paths`, whichever thread was first
            if isinstance(result, Refusal):
                refusals.append(result)
                continue
            file, waveform = result
            if file.sha256 in seen:
                reason = f"the same sound as {seen[file.sha256]}, which is used"
                refusals.append(Refusal(file.path, f"{printable(file.path.name)}: {reason}"))
                continue
            seen[file.sha256] = printable(file.path.name)
            files.append(file)
            waveforms.append(waveform)
        if not files:
            raise CorpusError(report.nothing_usable(describe_source(source), refusals))
        places = [source] if isinstance(source, (str, os.PathLike)) else source
        searched = tuple(Path(place) for place in places)
        found = Groups(searched)
        grouped = tuple(dataclasses.replace(file, group=found.of(file.path)) for file in files)
        return cls(grouped, tuple(waveforms), tuple(refusals), sample_rate, searched)

    @property
    def seconds(self) -> float:
        """Length of all sounds together."""
        return sum(file.seconds for file in self.files)

    def split(self, validation_fraction: float = 0.1) -> Split:
        """Training and validation sounds, chosen by content alone; see `split_by_content`."""
        split = split_by_content(
            self.waveforms,
            [file.sha256 for file in self.files],
            validation_fraction,
            minimum_samples=int(MINIMUM_S * self.sample_rate),
        )
        names = tuple(self.files[index].path.stem for index in split.validation_files)
        return dataclasses.replace(split, validation_names=names)

    def __len__(self) -> int:
        return len(self.files)

    def __repr__(self) -> str:
        return report.as_text(self.files, self.refusals, self.sample_rate)

    def _repr_html_(self) -> str:
        return report.as_html(self.files, self.refusals, self.sample_rate)
