"""Decodes the files of a corpus under one memory budget, and refuses what nothing can be learned
from.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from distill.audio.cache import key_of, spill, spill_pieces
from distill.audio.decoded_sounds import DecodedSounds
from distill.audio.file_search import RECONSTRUCTION, Refusal
from distill.audio.files import file_digest, file_name, open_sound_file
from distill.audio.level_meter import SILENCE_PEAK
from distill.audio.reading import DecodedSound, SoundPieces, decode_open, read_pieces
from distill.audio.resampling import resampled_length
from distill.audio.sound_file import AudioInfo, OpenSound
from distill.errors import AudioFileError, CorpusError
from distill.names import printable

MINIMUM_S = 0.05
_MADE_BY_US = "made by distill out of codes, not a recording; nothing is learned from it"
_LARGE_BYTES = 256 << 20
"""Longer sounds are read in pieces: several threads may hold one each."""


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
    notes: tuple[str, ...] = ()
    """What was done to the sound or left out of it, a phrase each; mostly none."""
    file_sha256: str = ""
    """Digest of the file's bytes; empty where it is not known."""
    group: str = ""
    """The folder of the corpus that it lies in; see `Groups`."""


class Keeper:
    """Decodes files from several threads under one memory budget.

    Args:
        sample_rate: in Hz, of all waveforms.
        memory_bytes: waveforms beyond this go into `cache_dir`.
        cache_dir: made when needed.
        decoded: what need not be decoded again.
    """

    def __init__(
        self,
        sample_rate: int,
        memory_bytes: int,
        cache_dir: Path,
        decoded: DecodedSounds | None = None,
    ) -> None:
        self._decoded = decoded if decoded and decoded.sample_rate == sample_rate else None
        self._sample_rate = sample_rate
        self._memory_left = memory_bytes
        self._cache_dir = cache_dir
        self._lock = threading.Lock()

    def load(self, path: Path) -> tuple[AudioFile, Tensor] | Refusal:
        """A file's facts and its waveform with a peak of 1, or why it is not used.

        Raises:
            CorpusError: there is no room for what does not fit in memory.
        """
        name = file_name(path)
        try:
            with open_sound_file(path) as file:
                digest = file_digest(file)  # before it is decoded: one that changes is noticed
                if self._decoded and (found := self._decoded.find(digest)):
                    return AudioFile(path=path, **found[0]), found[1]
                sound = OpenSound(path, file)
                if sound.is_reconstruction:
                    return Refusal(path, f"{name}: {_MADE_BY_US}", RECONSTRUCTION)
                info = sound.info
                length = resampled_length(info.frames, info.sample_rate, self._sample_rate)
                if length * 4 <= _LARGE_BYTES:
                    return self._normalised(decode_open(sound, self._sample_rate), name, digest)
            return self._normalised_pieces(read_pieces(path, self._sample_rate), name, digest)
        except AudioFileError as error:
            return Refusal(path, str(error))
        except (RuntimeError, MemoryError, OSError) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            return Refusal(path, f"{name}: cannot be decoded here ({reason})")

    def _normalised(
        self, sound: DecodedSound, name: str, digest: str
    ) -> tuple[AudioFile, Tensor] | Refusal:
        waveform = sound.waveform
        peak = float(waveform.abs().max()) if len(waveform) else 0.0
        if reason := self._why_not(len(waveform), peak, sound.notes):
            return Refusal(sound.info.path, f"{name}: {reason}")
        waveform /= peak
        if not self._fits(len(waveform)):
            key = key_of(sound.sha256, self._sample_rate)
            waveform = self._spilled(lambda: spill(waveform, key, self._cache_dir))
        file = self._file(sound.info, sound.sha256, len(waveform), peak, sound.notes)
        return replace(file, file_sha256=digest), waveform

    def _normalised_pieces(
        self, sound: SoundPieces, name: str, digest: str
    ) -> tuple[AudioFile, Tensor] | Refusal:
        peak = sound.peak
        if reason := self._why_not(sound.samples, peak, sound.notes):
            return Refusal(sound.path, f"{name}: {reason}")
        pieces = (piece / peak for piece in sound)
        if self._fits(sound.samples):
            waveform, done = torch.empty(sound.samples), 0
            for piece in pieces:
                waveform[done : done + len(piece)] = piece
                done += len(piece)
        else:
            key = key_of(sound.sha256, self._sample_rate)
            waveform = self._spilled(
                lambda: spill_pieces(pieces, sound.samples, key, self._cache_dir)
            )
        file = self._file(sound.info, sound.sha256, sound.samples, peak, sound.notes)
        return replace(file, file_sha256=digest), waveform

    def _why_not(self, samples: int, peak: float, notes: tuple[str, ...]) -> str:
        seconds = samples / self._sample_rate
        if seconds < MINIMUM_S:
            return f"{seconds * 1000:.0f} ms long; at least {MINIMUM_S * 1000:.0f} ms are needed"
        if peak < SILENCE_PEAK:
            return _silent(peak, notes)
        return ""

    def _file(
        self, info: AudioInfo, sha256: str, samples: int, peak: float, notes: tuple[str, ...]
    ) -> AudioFile:
        seconds = samples / self._sample_rate
        return AudioFile(
            info.path, sha256, seconds, info.sample_rate, info.channels, peak, tuple(notes)
        )

    def _fits(self, samples: int) -> bool:
        with self._lock:
            self._memory_left -= samples * 4
            return self._memory_left >= 0

    def _spilled(self, write: Callable[[], Tensor]) -> Tensor:
        try:
            return write()
        except OSError as error:
            raise CorpusError(
                f"{printable(self._cache_dir)}: cannot keep what does not fit in memory ({error}); "
                "make room, run `distill cache --clear`, or name another place in DISTILL_CACHE"
            ) from error


def _silent(peak: float, notes: tuple[str, ...]) -> str:
    level = "every sample is 0" if not peak else f"its peak is {20 * math.log10(peak):.0f} dBFS"
    where = f" ({'; '.join(notes)})" if notes else ""
    least = f"{20 * math.log10(SILENCE_PEAK):.0f} dBFS"
    return f"silent: {level}{where}; nothing is learned from sounds below {least}"
