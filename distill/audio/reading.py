"""Reads sound files: whole, in part, or in pieces of bounded memory; always mono."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from distill.audio.level_meter import Meter
from distill.audio.resampling import resampled_length, resampled_pieces
from distill.audio.sound_file import AudioInfo, OpenSound, open_sound
from distill.audio.sound_survey import SoundSurvey, mix_down, mono_blocks
from distill.errors import AudioFileError
from distill.memory import MOST_WHOLE_BYTES
from distill.names import as_path


@dataclass(frozen=True)
class DecodedSound:
    """A sound file, decoded once: mono at the wanted rate, with what it was before."""

    info: AudioInfo
    waveform: Tensor
    sha256: str
    """Digest of the decoded samples, so copies, renamed and re-tagged files agree."""
    notes: tuple[str, ...] = ()
    """What was done to the sound, or left out of it; see `SoundPieces.notes`."""


def probe(path: str | os.PathLike[str]) -> AudioInfo:
    """Reads what a sound file holds, without decoding it.

    Raises:
        AudioFileError: the file is missing, empty, or not a sound that can be read.
    """
    with open_sound(path) as sound:
        return sound.info


def decode(path: str | os.PathLike[str], sample_rate: int | None = None) -> DecodedSound:
    """Decodes a whole file to mono float32, resampled to `sample_rate` (None: as it is).

    Raises:
        AudioFileError: unreadable, truncated, holding no samples or some that cannot be sound, or
            longer than `MOST_WHOLE_BYTES`.
    """
    with open_sound(path) as sound:
        return decode_open(sound, sample_rate)


def decode_open(sound: OpenSound, sample_rate: int | None = None) -> DecodedSound:
    """Decodes a file that is open already; see `decode`."""
    from_rate = sound.info.sample_rate
    to_rate = sample_rate or from_rate
    _refuse_large(sound, to_rate)
    blocks: deque[Tensor] = deque()
    survey = SoundSurvey.of(sound, blocks)
    if survey.channel is not None:
        blocks = deque(map(torch.from_numpy, mono_blocks(sound, survey)))
    waveform, done = torch.empty(resampled_length(survey.frames, from_rate, to_rate)), 0
    pieces = (_without(blocks.popleft(), survey.offset) for _ in range(len(blocks)))
    for piece in resampled_pieces(pieces, survey.frames, from_rate, to_rate):
        waveform[done : done + len(piece)] = piece
        done += len(piece)
    return DecodedSound(sound.info, waveform, survey.sha256, survey.notes)


def read_audio(path: str | os.PathLike[str], sample_rate: int | None = None) -> tuple[Tensor, int]:
    """Reads a file as a mono float32 waveform.

    Channels are mixed; where they would cancel one another the loudest is used, and a constant
    offset is taken away. What else was done or left out stands in the notes of `read_pieces`.

    Returns:
        (samples,) and its sample rate, `sample_rate` or the file's own where that is None.

    Raises:
        AudioFileError: see `decode`.
    """
    sound = decode(path, sample_rate)
    return sound.waveform, sample_rate or sound.info.sample_rate


def read_pieces(path: str | os.PathLike[str], sample_rate: int | None = None) -> SoundPieces:
    """Opens a sound of any length to be read in pieces, in bounded memory.

    The file is decoded once here, to learn its length, channels, offset and digest, and again
    each time the pieces are iterated over.

    Args:
        path: a sound file.
        sample_rate: wanted, in Hz; None: the file's own.

    Raises:
        AudioFileError: see `decode`; but any length up to a day is read.

    Example:
        >>> import tempfile, torch
        >>> from distill import write_audio
        >>> path = write_audio(tempfile.mkdtemp() + "/a.wav", torch.zeros(44_100), 44_100)
        >>> sound = read_pieces(path, 48_000)
        >>> sound.samples, sum(len(piece) for piece in sound)
        (48000, 48000)
    """
    return SoundPieces(as_path(path, AudioFileError), sample_rate)


class SoundPieces:
    """A sound in pieces that, joined, are exactly what `read_audio` reads.

    Args:
        path: of the file.
        sample_rate: of the pieces, in Hz; None keeps the file's own.

    Raises:
        AudioFileError: missing, damaged, or no sound.
    """

    def __init__(self, path: Path, sample_rate: int | None) -> None:
        self.path = path
        with open_sound(path) as sound:
            self._survey = SoundSurvey.of(sound, None)
            self.info = sound.info
        self.sample_rate = sample_rate or self.info.sample_rate
        """Of the pieces, in Hz."""
        self.samples = resampled_length(
            self._survey.frames, self.info.sample_rate, self.sample_rate
        )
        """Of all pieces together."""

    @property
    def sha256(self) -> str:
        """Digest of the decoded samples, as `AudioFile.sha256`."""
        return self._survey.sha256

    @property
    def notes(self) -> tuple[str, ...]:
        """What was done to the sound or left out of it, a phrase each; mostly none."""
        return self._survey.notes

    @cached_property
    def peak(self) -> float:
        """Largest absolute sample at `sample_rate`; worked out by one pass over the pieces."""
        return max((float(piece.abs().max()) for piece in self), default=0.0)

    def __iter__(self) -> Iterator[Tensor]:
        """The pieces, (samples,) float32 each, none empty.

        Raises:
            AudioFileError: the file is gone, or is another one by now.
        """
        survey = self._survey
        with open_sound(self.path) as sound:
            yield from resampled_pieces(
                (
                    _without(torch.from_numpy(block), survey.offset)
                    for block in mono_blocks(sound, survey)
                ),
                survey.frames,
                self.info.sample_rate,
                self.sample_rate,
            )


def read_part(path: str | os.PathLike[str], start_s: float, seconds: float) -> tuple[Tensor, int]:
    """Reads a stretch of a file, however long the file is, as a mono float32 waveform.

    Args:
        path: a sound file.
        start_s: where the stretch begins; before the file counts as its beginning.
        seconds: how long it is; what lies beyond the end of the file is left out.

    Returns:
        (samples,) and the file's sample rate.

    Raises:
        AudioFileError: missing, unreadable, nothing there, or more than `MOST_WHOLE_BYTES`.
    """
    with open_sound(path) as sound:
        info = sound.info
        start = max(0, round(start_s * info.sample_rate))
        stop = min(info.frames, round((start_s + seconds) * info.sample_rate))
        if start >= stop:
            raise AudioFileError(
                f"{sound.name}: nothing at {start_s:.2f} s; the file is {info.seconds:.2f} s long"
            )
        _refuse_large(sound, info.sample_rate, stop - start)
        blocks = [np.nan_to_num(block) for block in sound.blocks(start, stop)]
        meter, mono = Meter(info.sample_rate, info.channels), []
        for block in blocks:
            mono.append(mix_down(block))
            meter.add(block, mono[-1])
        levels = meter.levels()
        if levels.cancels:
            mono = [block[:, levels.best_channel] for block in blocks]
        return torch.from_numpy(np.concatenate(mono)), info.sample_rate


def _without(piece: Tensor, offset: float) -> Tensor:
    return piece - offset if offset else piece


def _refuse_large(sound: OpenSound, to_rate: int, frames: int | None = None) -> None:
    frames = sound.info.frames if frames is None else frames
    largest = max(frames, resampled_length(frames, sound.info.sample_rate, to_rate)) * 4
    if largest > MOST_WHOLE_BYTES:
        raise AudioFileError(
            f"{sound.name}: {frames / sound.info.sample_rate / 3600:.1f} h of sound need "
            f"{largest / 2**30:.1f} GiB at once; up to {MOST_WHOLE_BYTES / 2**30:.0f} are taken: "
            "cut it, or read it in pieces (read_pieces)"
        )
