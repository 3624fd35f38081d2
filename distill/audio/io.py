"""Reads, writes and probes sound files (libsndfile does the work, torchaudio resamples)."""

from __future__ import annotations

import hashlib
import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import torch
import torchaudio.functional
from torch import Tensor

from distill.atomic import write_atomically
from distill.errors import AudioFileError

AUDIO_EXTENSIONS = frozenset(
    {
        ".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3",
        ".aif", ".aiff", ".aifc", ".au", ".caf", ".w64", ".rf64",
    }
)  # fmt: skip
"""File names that are taken for sound."""

_FORMATS = {
    ".wav": "WAV",
    ".flac": "FLAC",
    ".ogg": "OGG",
    ".mp3": "MP3",
    ".aif": "AIFF",
    ".aiff": "AIFF",
    ".au": "AU",
    ".caf": "CAF",
    ".w64": "W64",
    ".rf64": "RF64",
}
BLOCK_FRAMES = 1 << 19  # 11 s at 48 kHz: an 8-channel file never lies in memory whole
_LARGEST_RATIO = 1000
_SHORTFALL = 0.98  # MP3 headers round; anything below this share of the promise is a cut file
_SHOULD_BE = re.compile(
    r"^\s*(?:data|SSND|Data Size|riff|Riff size)\s*:\s*(\d+) \(should be (\d+)\)", re.MULTILINE
)
_UNKNOWN_SIZES = {0xFFFFFFFF, 0x7FFFF000}  # what ffmpeg and SoX write where they cannot seek back


@dataclass(frozen=True)
class AudioInfo:
    """What a sound file's header promises."""

    path: Path
    sample_rate: int
    channels: int
    frames: int
    format: str

    @property
    def seconds(self) -> float:
        """Length the header promises."""
        return self.frames / self.sample_rate


@dataclass(frozen=True)
class DecodedSound:
    """A sound file, decoded once: mono at the wanted rate, with what it was before."""

    info: AudioInfo
    waveform: Tensor
    sha256: str
    """Digest of the decoded samples, so copies, renamed and re-tagged files agree."""


def probe(path: str | os.PathLike[str]) -> AudioInfo:
    """Reads a sound file's header.

    Raises:
        AudioFileError: the file is missing, empty, or not a format libsndfile knows.
    """
    path = Path(path)
    if not path.is_file():
        raise AudioFileError(f"{path.name}: no such file; looked for {path}")
    if path.stat().st_size == 0:
        raise AudioFileError(f"{path.name}: an empty file (0 bytes); remove it or re-export it")
    try:
        with soundfile.SoundFile(str(path)) as sound:
            return _info(path, sound)
    except (soundfile.SoundFileError, OSError) as error:
        raise AudioFileError(_unreadable(path, error)) from error


def decode(path: str | os.PathLike[str], sample_rate: int | None = None) -> DecodedSound:
    """Decodes a whole file to mono float32, resampled to `sample_rate` (None: as it is).

    Raises:
        AudioFileError: unreadable, truncated, or holding NaN or Inf samples.
    """
    path = Path(path)
    info = probe(path)
    digest = hashlib.sha256(f"{info.sample_rate}:{info.channels}:".encode())
    mono: list[np.ndarray] = []
    done = 0
    try:
        with soundfile.SoundFile(str(path)) as sound:
            _refuse_cut_container(path, sound)
            for block in _blocks(sound):
                digest.update(block.tobytes())
                with np.errstate(all="ignore"):  # Inf - Inf: told below, with its place
                    mixed = block.mean(axis=1) if block.shape[1] > 1 else block[:, 0]
                if not np.isfinite(mixed).all():
                    where = (done + int(np.argmin(np.isfinite(mixed)))) / info.sample_rate
                    raise AudioFileError(f"{path.name}: NaN or Inf at {where:.2f} s; re-export it")
                mono.append(mixed)
                done += len(block)
    except (soundfile.SoundFileError, OSError) as error:
        raise AudioFileError(_unreadable(path, error, done / info.sample_rate)) from error
    if done < _SHORTFALL * info.frames:
        raise AudioFileError(_truncated(path, info.seconds, done / info.sample_rate))
    waveform = torch.from_numpy(np.concatenate(mono)) if mono else torch.zeros(0)
    return DecodedSound(
        info=info,
        waveform=resample(waveform, info.sample_rate, sample_rate or info.sample_rate),
        sha256=digest.hexdigest(),
    )


def read_audio(path: str | os.PathLike[str], sample_rate: int | None = None) -> tuple[Tensor, int]:
    """Reads a file as a mono float32 waveform.

    Returns:
        (samples,) and its sample rate: `sample_rate`, or the file's own where that is None.

    Raises:
        AudioFileError: unreadable, truncated, or holding NaN or Inf samples.
    """
    sound = decode(path, sample_rate)
    return sound.waveform, sample_rate or sound.info.sample_rate


def read_part(path: str | os.PathLike[str], start_s: float, seconds: float) -> tuple[Tensor, int]:
    """Reads a stretch of a file, however long the file is, as a mono float32 waveform.

    Args:
        path: a sound file.
        start_s: where the stretch begins; before the file counts as its beginning.
        seconds: how long it is; what lies beyond the end of the file is left out.

    Returns:
        (samples,) and the file's sample rate.

    Raises:
        AudioFileError: missing, unreadable, or nothing there.
    """
    path = Path(path)
    info = probe(path)
    start = max(0, round(start_s * info.sample_rate))
    stop = min(info.frames, round((start_s + seconds) * info.sample_rate))
    if start >= stop:
        raise AudioFileError(
            f"{path.name}: nothing at {start_s:.2f} s; the file is {info.seconds:.2f} s long"
        )
    try:
        block, rate = soundfile.read(
            str(path), start=start, stop=stop, dtype="float32", always_2d=True
        )
    except (soundfile.SoundFileError, OSError) as error:
        raise AudioFileError(_unreadable(path, error, start_s)) from error
    return torch.from_numpy(np.nan_to_num(block).mean(axis=1)), rate


def resample(waveform: Tensor, from_rate: int, to_rate: int) -> Tensor:
    """Changes the sample rate of (..., samples), band-limited.

    Windowed sinc interpolation; between rates that share no small ratio, where its kernel would
    take gigabytes, by cutting or padding the spectrum of the whole sound.
    """
    if from_rate == to_rate or waveform.shape[-1] == 0:
        return waveform
    if max(from_rate, to_rate) // math.gcd(from_rate, to_rate) <= _LARGEST_RATIO:
        return torchaudio.functional.resample(waveform, from_rate, to_rate)
    before = waveform.shape[-1]
    after = math.ceil(before * to_rate / from_rate)
    spectrum = torch.fft.rfft(waveform)[..., : after // 2 + 1]
    return torch.fft.irfft(spectrum, n=after) * (after / before)


def write_audio(
    path: str | os.PathLike[str], waveform: Tensor, sample_rate: int, *, subtype: str = "PCM_16"
) -> Path:
    """Writes a mono (samples,) waveform; the format follows the file name.

    Samples beyond full scale are clipped, never scaled: two files stay comparable.

    Raises:
        AudioFileError: the file cannot be written.
    """
    path = Path(path)
    samples = waveform.detach().to("cpu", torch.float32).clamp(-1.0, 1.0).numpy()
    kind = _FORMATS.get(path.suffix.lower())
    if kind is None:
        known = ", ".join(sorted(_FORMATS))
        raise AudioFileError(f"{path.name}: cannot be written; expected a name ending in {known}")
    chosen = None if kind in {"OGG", "MP3"} else subtype
    try:
        with write_atomically(path) as file:
            soundfile.write(file, samples, sample_rate, subtype=chosen, format=kind)
    except (soundfile.SoundFileError, OSError, ValueError, TypeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise AudioFileError(f"{path}: cannot be written: {reason}") from error
    return path


def _blocks(sound: soundfile.SoundFile) -> Iterator[np.ndarray]:
    while len(block := sound.read(BLOCK_FRAMES, dtype="float32", always_2d=True)):
        yield block


def _info(path: Path, sound: soundfile.SoundFile) -> AudioInfo:
    return AudioInfo(path, sound.samplerate, sound.channels, max(sound.frames, 0), sound.format)


def _refuse_cut_container(path: Path, sound: soundfile.SoundFile) -> None:
    # libsndfile shortens a cut WAV, AIFF or OGG to what is there; only its log, or the last page
    # of the Ogg stream, tells.
    if match := _SHOULD_BE.search(sound.extra_info):
        promised, found = int(match[1]), int(match[2])
        if promised not in _UNKNOWN_SIZES and found < _SHORTFALL * promised:
            there_s = max(sound.frames, 0) / sound.samplerate
            if not found or not there_s:
                raise AudioFileError(
                    f"{path.name}: truncated: only its header is there; copy or export it again"
                )
            raise AudioFileError(_truncated(path, there_s * promised / found, there_s))
    if sound.format == "OGG":
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - (1 << 17)))
            tail = file.read()
        if not _ends_a_stream(tail[max(0, tail.rfind(b"OggS")) :]):
            raise AudioFileError(
                f"{path.name}: truncated: the last page of its Ogg stream is missing; "
                "copy or export it again"
            )


def _ends_a_stream(page: bytes) -> bool:
    """Whether an Ogg page is whole and flagged as its stream's last (RFC 3533, section 6)."""
    segments = page[27 : 27 + page[26]] if len(page) > 26 else b""
    whole = bool(segments) and len(page) >= 27 + page[26] + sum(segments)
    return whole and bool(page[5] & 0x04)


def _truncated(path: Path, promised_s: float, found_s: float) -> str:
    return (
        f"{path.name}: truncated: its header promises {promised_s:.2f} s, "
        f"{found_s:.2f} s are there; copy or export it again"
    )


def _unreadable(path: Path, error: Exception, at_s: float = 0.0) -> str:
    reason = str(getattr(error, "error_string", error)).removeprefix("Error : ").rstrip(".")
    where = f" after {at_s:.2f} s" if at_s else ""
    return f"{path.name}: unreadable{where} ({reason}); copy or export it again"
