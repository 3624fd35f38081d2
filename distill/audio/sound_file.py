"""A sound file that is open: what it is, and its samples in blocks, whatever holds them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile

from distill.audio.containers.layout import Part
from distill.audio.containers.virtual_file import Stretch, Window
from distill.audio.containers.walk import walk
from distill.audio.files import file_name, open_sound_file
from distill.audio.reconstruction_mark import is_marked
from distill.errors import AudioFileError

BLOCK_SAMPLES = 1 << 20  # of all channels together: no number of them takes more memory
LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 100, 1_536_000
LONGEST_S = 24 * 3600.0
"""Files that promise more than a day are refused before they are decoded."""

MOST_SAMPLES = 1 << 34
"""Of all channels: a day of stereo at 96 kHz."""
_MANY_SAMPLES, _FEWEST_BITS = 1 << 30, 0.03
"""What is longer than the one and packed below the other, in bits a sample, is silence."""

_MOST_NOTES = 5
_SHORTFALL = 0.98  # anything below this share of the promise is a cut file
_LOSSY_SLACK_FRAMES = 2400  # what decoders of lossy formats may swallow at the ends


@dataclass(frozen=True)
class AudioInfo:
    """What a sound file holds, by its header and its structure."""

    path: Path
    sample_rate: int
    channels: int
    frames: int
    format: str

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.frames / self.sample_rate


class OpenSound:
    """A sound file, opened once; `blocks` may be asked for again."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        """Raises AudioFileError: not a sound that can be read, or beyond what is read at all."""
        self._file = file
        self.name = file_name(path)
        layout = walk(file)
        if layout.refusal:
            raise AudioFileError(f"{self.name}: {layout.refusal}")
        self.notes = list(layout.notes[:_MOST_NOTES])
        if len(layout.notes) > _MOST_NOTES:
            self.notes.append(f"{len(layout.notes) - _MOST_NOTES} more such places")
        self._parts: list[tuple[Part, int]] = []
        self.info = self._survey(path, layout.parts)
        if not self.info.frames and layout.sound_bytes:
            raise AudioFileError(
                f"{self.name}: its header leads to 0 samples, but {layout.sound_bytes} bytes and "
                "more follow; keep it, and import it as raw samples in an audio editor"
            )

    def _survey(self, path: Path, parts: tuple[Part, ...]) -> AudioInfo:
        info: AudioInfo | None = None
        frames = 0
        for part in parts:
            try:
                with self._opened(part) as sound:
                    found = AudioInfo(
                        path, sound.samplerate, sound.channels, _frames(part, sound), sound.format
                    )
            except AudioFileError as error:
                if info is None:
                    raise
                reason = str(error).removeprefix(f"{self.name}: ")
                self.notes.append(
                    f"used only the first {frames / info.sample_rate:.2f} s: {reason}"
                )
                break
            if info is None:
                info = found
            elif (found.sample_rate, found.channels) != (info.sample_rate, info.channels):
                used_s = frames / info.sample_rate
                self.notes.append(
                    f"used {used_s:.2f} of {used_s + found.seconds:.2f} s: it goes on with "
                    f"{found.channels} channels at {found.sample_rate} Hz; split it to use both"
                )
                break
            self._parts.append((part, found.frames))
            frames += found.frames
        if info is None:
            raise AudioFileError(f"{self.name}: no stream of sound in it; export it again as WAV")
        whole = AudioInfo(path, info.sample_rate, info.channels, frames, info.format)
        self._check_limits(whole)
        return whole

    def _check_limits(self, info: AudioInfo) -> None:
        if not LOWEST_RATE_HZ <= info.sample_rate <= HIGHEST_RATE_HZ:
            raise AudioFileError(
                f"{self.name}: its header asks for {info.sample_rate} samples a second; expected "
                f"{LOWEST_RATE_HZ} to {HIGHEST_RATE_HZ}"
            )
        if info.seconds > LONGEST_S:
            raise AudioFileError(
                f"{self.name}: {info.seconds / 3600:.1f} h long by its header; up to "
                f"{LONGEST_S / 3600:.0f} h are read: cut it into shorter files"
            )
        samples = info.frames * info.channels
        if samples > MOST_SAMPLES:
            raise AudioFileError(
                f"{self.name}: {info.channels} channels of {info.frames} samples; up to "
                f"{MOST_SAMPLES} of all channels are read: cut it into shorter files"
            )
        size = self._file.seek(0, os.SEEK_END)
        if samples > _MANY_SAMPLES and size * 8 < _FEWEST_BITS * samples:
            raise AudioFileError(
                f"{self.name}: {info.seconds / 3600:.1f} h in {size / 1e6:.1f} MB: only silence "
                "packs so small; cut out of it what is sound"
            )

    def blocks(self, start: int = 0, stop: int | None = None) -> Iterator[np.ndarray]:
        """The samples from a frame to another, (frames, channels) float32 each.

        Raises:
            AudioFileError: it breaks off, or ends before it should.
        """
        stop = self.info.frames if stop is None else stop
        begin = done = 0
        for part, frames in self._parts:
            if begin < stop and begin + frames > start:
                first, last = max(0, start - begin), min(frames, stop - begin)
                for block in self._blocks_of(part, first, last, begin):
                    done += len(block)
                    yield block
            begin += frames
        self._check_length(done, stop - start)

    def _blocks_of(self, part: Part, first: int, last: int, begin: int) -> Iterator[np.ndarray]:
        at = first
        size = max(1, BLOCK_SAMPLES // self.info.channels)
        with self._opened(part, begin) as sound:
            try:
                if first:
                    sound.seek(first)
                while at < last:
                    block = sound.read(min(size, last - at), dtype="float32", always_2d=True)
                    if not len(block):
                        break
                    at += len(block)
                    yield block
            except (soundfile.SoundFileError, OSError) as error:
                at_s = (begin + at) / self.info.sample_rate
                raise AudioFileError(unreadable(self.name, error, at_s)) from error

    def _check_length(self, done: int, expected: int) -> None:
        if done >= expected:
            return
        done_s, expected_s = done / self.info.sample_rate, expected / self.info.sample_rate
        if done < _SHORTFALL * expected:
            raise AudioFileError(truncated(self.name, expected_s, done_s))
        slack = _LOSSY_SLACK_FRAMES if self.info.format in {"MP3", "OGG"} else 0
        if expected - done > slack:
            self.note(f"used {done_s:.2f} of {expected_s:.2f} s: the rest is missing in the file")

    @property
    def is_reconstruction(self) -> bool:
        """Whether distill made it out of codes."""
        return is_marked(self._file)

    def note(self, text: str) -> None:
        """Adds a word on how the file is used, once."""
        if text not in self.notes:
            self.notes.append(text)

    @contextlib.contextmanager
    def _opened(self, part: Part, begin: int = 0) -> Iterator[soundfile.SoundFile]:
        try:
            sound = self._open(part)
        except (soundfile.SoundFileError, OSError) as error:
            at_s = begin / self.info.sample_rate if begin else 0.0
            raise AudioFileError(unreadable(self.name, error, at_s)) from error
        with sound:
            yield sound

    def _open(self, part: Part) -> soundfile.SoundFile:
        spans = part.spans
        if spans is None and os.name != "nt":  # there a library may not share our descriptors
            self._file.seek(0)
            return soundfile.SoundFile(self._file.fileno(), closefd=False)
        size = self._file.seek(0, os.SEEK_END)
        return soundfile.SoundFile(Window(self._file, spans or (Stretch(0, size),)))


@contextlib.contextmanager
def open_sound(path: str | os.PathLike[str]) -> Iterator[OpenSound]:
    """Opens a sound file.

    Raises:
        AudioFileError: missing, not a regular file, not a sound that can be read, or beyond the
            limits of this module.
    """
    with open_sound_file(path) as file:
        yield OpenSound(Path(path), file)


def _frames(part: Part, sound: soundfile.SoundFile) -> int:
    return max(sound.frames, 0) if part.frames is None else part.frames


def truncated(name: str, promised_s: float, found_s: float) -> str:
    """The message about a file that ends too early."""
    return (
        f"{name}: truncated: its header promises {promised_s:.2f} s, "
        f"{found_s:.2f} s are there; copy or export it again"
    )


def unreadable(name: str, error: Exception, at_s: float = 0.0) -> str:
    """The message about a file that libsndfile gives up on."""
    reason = str(getattr(error, "error_string", None) or getattr(error, "strerror", None) or error)
    reason = reason.removeprefix("Error : ").rstrip(".")
    where = f" after {at_s:.2f} s" if at_s else ""
    return f"{name}: unreadable{where} ({reason}); copy or export it again"
