"""AudioCorpus: a folder of recordings, each either used or refused with its reason."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor
from tqdm.auto import tqdm

from distill.audio import report
from distill.audio.cache import audio_cache_dir, spill
from distill.audio.io import AUDIO_EXTENSIONS, decode
from distill.audio.split import Split, split_by_content
from distill.errors import AudioFileError, CorpusError

Source = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]
"""A folder, a file, or any number of either."""

MINIMUM_S = 0.05
SILENCE_PEAK = 1e-5  # -100 dBFS: below the last bit of 16-bit audio
DEFAULT_MEMORY_BYTES = 2 << 30
RUN_MARKER = "run.json"


@dataclass(frozen=True)
class AudioFile:
    """One recording of a corpus: what it was, and what identifies its sound."""

    path: Path
    sha256: str
    seconds: float
    sample_rate: int
    channels: int
    peak: float
    """Largest absolute sample before normalisation."""


@dataclass(frozen=True)
class Refusal:
    """A file that is not used, and why."""

    path: Path
    reason: str


@dataclass(frozen=True, repr=False)
class AudioCorpus:
    """Recordings, decoded once: mono, at one sample rate, each normalised to a peak of 1."""

    files: tuple[AudioFile, ...]
    waveforms: tuple[Tensor, ...]
    """(samples,) float32, one for each of `files`."""
    refusals: tuple[Refusal, ...]
    sample_rate: int

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

        Raises:
            CorpusError: nothing there is usable, and the message lists why; or it was cancelled.
        """
        if not isinstance(source, (str, os.PathLike)):
            source = list(source)  # a generator is read once, the message may need it again
        paths, refusals = find_files(source)
        keeper = _Keeper(sample_rate, memory_bytes, cache_dir or audio_cache_dir())
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
                refusals.append(Refusal(file.path, f"{file.path.name}: {reason}"))
                continue
            seen[file.sha256] = file.path.name
            files.append(file)
            waveforms.append(waveform)
        if not files:
            raise CorpusError(report.nothing_usable(describe_source(source), refusals))
        return cls(tuple(files), tuple(waveforms), tuple(refusals), sample_rate)

    @property
    def seconds(self) -> float:
        """Length of all sounds together."""
        return sum(file.seconds for file in self.files)

    def split(self, validation_fraction: float = 0.1) -> Split:
        """Training and validation sounds, chosen by content alone; see `split_by_content`."""
        return split_by_content(
            self.waveforms,
            [file.sha256 for file in self.files],
            validation_fraction,
            minimum_samples=int(MINIMUM_S * self.sample_rate),
        )

    def __len__(self) -> int:
        return len(self.files)

    def __repr__(self) -> str:
        return report.as_text(self)

    def _repr_html_(self) -> str:
        return report.as_html(self)


class _Keeper:
    """Decodes files from several threads under one memory budget."""

    def __init__(self, sample_rate: int, memory_bytes: int, cache_dir: Path) -> None:
        self._sample_rate = sample_rate
        self._memory_left = memory_bytes
        self._cache_dir = cache_dir
        self._lock = threading.Lock()

    def load(self, path: Path) -> tuple[AudioFile, Tensor] | Refusal:
        try:
            sound = decode(path, self._sample_rate)
        except AudioFileError as error:
            return Refusal(path, str(error))
        except (RuntimeError, MemoryError) as error:
            return Refusal(path, f"{path.name}: cannot be decoded here ({error})")
        waveform, info = sound.waveform, sound.info
        if not len(waveform):
            return Refusal(
                path, f"{path.name}: 0 samples after decoding; remove it or re-export it"
            )
        seconds = len(waveform) / self._sample_rate
        if seconds < MINIMUM_S:
            return Refusal(
                path,
                f"{path.name}: {seconds * 1000:.0f} ms long; "
                f"at least {MINIMUM_S * 1000:.0f} ms are needed",
            )
        peak = float(waveform.abs().max())
        if peak < SILENCE_PEAK:
            mixed = f" once its {info.channels} channels are mixed" if info.channels > 1 else ""
            return Refusal(path, f"{path.name}: silent{mixed} (peak {peak:.0e}); remove it")
        waveform = self._keep(waveform / peak, f"{sound.sha256}-{self._sample_rate}")
        file = AudioFile(path, sound.sha256, seconds, info.sample_rate, info.channels, peak)
        return file, waveform

    def _keep(self, waveform: Tensor, key: str) -> Tensor:
        with self._lock:
            self._memory_left -= waveform.numel() * 4
            fits = self._memory_left >= 0
        if fits:
            return waveform
        try:
            return spill(waveform, key, self._cache_dir)
        except OSError as error:
            raise CorpusError(
                f"{self._cache_dir}: cannot keep what does not fit in memory ({error}); make room, "
                "run `distill cache --clear`, or name another place in DISTILL_CACHE"
            ) from error


def describe_source(source: Source) -> str:
    """The places a corpus was looked for, as one line."""
    places = [source] if isinstance(source, (str, os.PathLike)) else list(source)
    names = [str(place) for place in places[:3]]
    return ", ".join(names) + (f" and {len(places) - 3} more" if len(places) > 3 else "")


def find_files(source: Source) -> tuple[list[Path], list[Refusal]]:
    """The sound files of a source in a stable order, and what is no sound file.

    Raises:
        CorpusError: a place that does not exist, or cannot be looked into.
    """
    places = [source] if isinstance(source, (str, os.PathLike)) else list(source)
    if not places:
        raise CorpusError("no files given: expected a folder of recordings, or paths")
    found: dict[Path, None] = {}
    refusals: list[Refusal] = []
    for place in map(Path, places):
        if place.is_dir() and (place / RUN_MARKER).is_file():
            raise CorpusError(f"{place}: a distill run, not recordings; name the folder of sounds")
        if place.is_dir():
            for path in _walk(place, refusals):
                _take(path, found, refusals)
        elif place.exists():
            _take(place, found, refusals)
        else:
            raise CorpusError(
                f"{place}: no such file or folder; the current folder is {Path.cwd()}"
            )
    return list(found), refusals


def _walk(folder: Path, refusals: list[Refusal]) -> Iterable[Path]:
    def refuse(error: OSError) -> None:
        refusals.append(Refusal(Path(error.filename), f"{error.filename}: {error.strerror}"))

    for here, folders, names in os.walk(folder, onerror=refuse):
        # The previews of an earlier run are not recordings.
        for name in [n for n in folders if Path(here, n, RUN_MARKER).is_file()]:
            folders.remove(name)
            path = Path(here, name)
            refusals.append(Refusal(path, f"{path.name}: a distill run, not recordings"))
        for name in [n for n in folders if Path(here, n).is_symlink()]:
            folders.remove(name)
            path = Path(here, name)
            refusals.append(Refusal(path, f"{path.name}: a link to a folder; name it by itself"))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(here, name) for name in sorted(names) if not name.startswith("."))


def _take(path: Path, found: dict[Path, None], refusals: list[Refusal]) -> None:
    if path.suffix.lower() in AUDIO_EXTENSIONS:
        found[path] = None
    else:
        kind = f"a {path.suffix} file" if path.suffix else "a file without an ending"
        refusals.append(Refusal(path, f"{path.name}: {kind}, not sound (.wav, .flac, .mp3 …)"))
