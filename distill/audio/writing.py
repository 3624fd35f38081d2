"""Writes sound files: whole or not at all, at once or in pieces, marked where distill made them."""

from __future__ import annotations

import contextlib
import errno
import io
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import soundfile
import torch
from torch import Tensor

from distill.arrays import as_floats, as_rate
from distill.audio.reconstruction_mark import comment_of
from distill.errors import AudioFileError, OutputExistsError, ShapeError
from distill.names import as_path, printable
from distill.outputs import check_free, new_file

_log = logging.getLogger(__name__)

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
_LOSSY = {"OGG", "MP3"}
_NEVER_ABOVE_1 = {"FLAC"}
_W64_TAIL = bytes.fromhex("f3acd3118cd100c04f8edb8a")
_BLOCK_SAMPLES = 1 << 18

Write = Callable[[Tensor], None]
"""Takes the next (samples,) of a file that is being written."""


def write_audio(
    path: str | os.PathLike[str],
    waveform: Tensor,
    sample_rate: int,
    *,
    subtype: str | None = None,
    made_by: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Writes a mono (samples,) waveform; the format follows the file name.

    Samples are never scaled: two files stay comparable. Peaks beyond full scale are kept by
    formats and subtypes that can hold them, and clipped, with a warning in the log, by others.

    Args:
        path: its ending says the format.
        waveform: (samples,), full scale at 1.
        sample_rate: in Hz.
        subtype: as libsndfile names it; default 16 bit, or float where peaks exceed 1.
        made_by: for sounds that came out of a model, how they were made; it becomes a comment in
            the file, by which `is_reconstruction` recognises it.
        overwrite: replace a file that this program did not write.

    Raises:
        OutputExistsError: such a file is there.
        AudioFileError: the file cannot be written.
        ShapeError: no mono floating-point samples.
        ConfigError: a sample rate that is none.
    """
    waveform = as_floats(waveform, "waveform")
    if waveform.ndim != 1:
        raise ShapeError(f"waveform {tuple(waveform.shape)}: expected mono (samples,)")
    peak = float(waveform.detach().abs().max()) if waveform.numel() else 0.0
    with open_writer(
        path, sample_rate, subtype=subtype, peak=peak, made_by=made_by, overwrite=overwrite
    ) as write:
        write(waveform)
    return Path(path)


def wav_bytes(waveform: Tensor, sample_rate: int, *, made_by: str | None = None) -> bytes:
    """A mono (samples,) waveform as the bytes of a 16-bit WAV file; peaks above 1 are clipped.

    Args:
        waveform: (samples,), full scale at 1.
        sample_rate: in Hz.
        made_by: see `write_audio`.
    """
    samples = waveform.detach().to("cpu", torch.float32).clamp(-1.0, 1.0).numpy()
    buffer = io.BytesIO()
    with soundfile.SoundFile(
        buffer, "w", samplerate=sample_rate, channels=1, subtype="PCM_16", format="WAV"
    ) as sound:
        if made_by is not None:
            sound.comment = comment_of(made_by)
        sound.write(samples)
    return buffer.getvalue()


def format_of(path: Path) -> str:
    """What a sound file of this name is written as, in libsndfile's words.

    Raises:
        AudioFileError: its ending is that of no format that is written.
    """
    kind = _FORMATS.get(path.suffix.lower())
    if kind is None:
        known = ", ".join(sorted(_FORMATS))
        raise AudioFileError(
            f"{printable(path.name)}: cannot be written; expected a name ending in {known}"
        )
    return kind


def check_place(path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Refuses a place for a sound early, before the work of making what would be written there.

    Raises:
        OutputExistsError: a file is there that this program did not write.
        AudioFileError: no format has such a name, or nothing can be written in the folder.
    """
    path = as_path(path, AudioFileError)
    check_free(path, overwrite=overwrite)
    format_of(path)
    try:
        path.parent.stat()
        if not path.parent.is_dir():
            raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        if not os.access(path.parent, os.W_OK):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise AudioFileError(f"{printable(path)}: cannot be written: {reason}") from error


@contextlib.contextmanager
def open_writer(
    path: str | os.PathLike[str],
    sample_rate: int,
    *,
    subtype: str | None = None,
    peak: float = 1.0,
    made_by: str | None = None,
    overwrite: bool = False,
) -> Iterator[Write]:
    """Opens a mono sound file to be written in pieces, however long it becomes.

    It appears at `path` once the block ends, whole; on an error, there or in the block, what lay
    there before is untouched.

    Args:
        path: as in `write_audio`, and so the other arguments.
        sample_rate: in Hz.
        subtype: default 16 bit, or float where `peak` exceeds 1.
        peak: the largest absolute sample to come.
        made_by: how a model made the sound.
        overwrite: replace a file that this program did not write.

    Yields:
        A function that takes the next (samples,).

    Raises:
        OutputExistsError: such a file is there.
        AudioFileError: the file cannot be written.
    """
    path, sample_rate = as_path(path, AudioFileError), as_rate(sample_rate, lowest=1)
    kind = format_of(path)
    chosen = subtype or ("FLOAT" if peak > 1 and kind not in _NEVER_ABOVE_1 else "PCM_16")
    keeps_peaks = kind in _LOSSY or chosen in {"FLOAT", "DOUBLE"}
    if peak > 1 and not keeps_peaks:
        _log.warning(
            "%s: its peak of %.3g is clipped: %s in %s ends at 1; a .wav keeps it",
            printable(path.name), peak, chosen, kind,
        )  # fmt: skip
    of_caller: BaseException | None = None
    try:
        with new_file(path, overwrite=overwrite) as file:
            inserted = _Inserted.of(kind, made_by)
            guarded = _Guarded(file, inserted)
            with guarded.sound(kind, None if kind in _LOSSY else chosen, sample_rate) as sound:
                if made_by is not None and not inserted.data:
                    sound.comment = comment_of(made_by)
                try:
                    yield lambda piece: guarded.write_samples(sound, piece, clip=not keeps_peaks)
                except BaseException as error:
                    of_caller = error
                    raise
            guarded.check()
            inserted.finish(file)
    except OutputExistsError:
        raise
    except (soundfile.SoundFileError, OSError, ValueError, TypeError) as error:
        if error is of_caller and not isinstance(error, _WriteError):
            raise
        reason = getattr(error, "strerror", None) or error
        raise AudioFileError(f"{printable(path)}: cannot be written: {reason}") from error


class _WriteError(OSError):
    """What stopped `write`, told from errors of whoever calls it."""


@dataclass(frozen=True)
class _Inserted:
    """A comment for the formats into which libsndfile writes none, put into their header."""

    kind: str = ""
    at: int = 0
    data: bytes = b""

    @classmethod
    def of(cls, kind: str, made_by: str | None) -> _Inserted:
        if made_by is None or kind not in {"AU", "W64"}:
            return cls()
        text = comment_of(made_by).encode("utf-8")
        text += bytes(8 - len(text) % 8)
        if kind == "AU":  # its header says where the sound begins; what is before that is text
            return cls(kind, 24, text)
        return cls(kind, 40, b"junk" + _W64_TAIL + (24 + len(text)).to_bytes(8, "little") + text)

    def finish(self, file: IO[bytes]) -> None:
        """Corrects what the header says of its own length."""
        if self.kind == "AU":
            file.seek(4)
            file.write((24 + len(self.data)).to_bytes(4, "big"))
        elif self.kind == "W64":
            size = file.seek(0, os.SEEK_END)
            file.seek(16)
            file.write(size.to_bytes(8, "little"))


class _Guarded:
    """A file for libsndfile, whose callbacks lose the errors of Python: these are kept here."""

    def __init__(self, file: IO[bytes], inserted: _Inserted) -> None:
        self._file = file
        self._inserted = inserted
        self._at = self._length = 0
        self._error: OSError | None = None

    def sound(self, kind: str, subtype: str | None, sample_rate: int) -> soundfile.SoundFile:
        return soundfile.SoundFile(
            self, "w", samplerate=sample_rate, channels=1, subtype=subtype, format=kind
        )

    def write_samples(self, sound: soundfile.SoundFile, piece: Tensor, *, clip: bool) -> None:
        for part in torch.split(piece.detach().reshape(-1), _BLOCK_SAMPLES):
            samples = part.to("cpu", torch.float32)
            try:
                sound.write((samples.clamp(-1.0, 1.0) if clip else samples).numpy())
            except (AssertionError, soundfile.SoundFileError) as error:
                # It asserts that all was written; what kept it from that is known here.
                reason = self._error or error
                raise _WriteError(
                    getattr(reason, "errno", None), getattr(reason, "strerror", None) or str(reason)
                ) from error
            self.check()

    def check(self) -> None:
        if self._error is not None:
            raise _WriteError(self._error.errno, self._error.strerror or str(self._error))

    # From here on libsndfile calls. It sees the file without what is inserted.

    def write(self, data: bytes) -> int:
        before = max(0, min(len(data), self._inserted.at - self._at))
        for part in (data[:before], data[before:]):
            if part and not self._put(part):
                return 0
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_END:
            offset += self._length
        elif whence == os.SEEK_CUR:
            offset += self._at
        self._at = max(0, offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def _put(self, data: bytes) -> bool:
        added = self._inserted.data
        try:
            if self._at >= self._inserted.at:
                if added and self._length <= self._inserted.at:
                    self._file.seek(self._inserted.at)
                    self._file.write(added)
                self._file.seek(self._at + len(added))
            else:
                self._file.seek(self._at)
            self._file.write(data)
        except OSError as error:
            self._error = self._error or error
            return False
        self._at += len(data)
        self._length = max(self._length, self._at)
        return True
