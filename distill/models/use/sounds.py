"""Sounds on their way into a model and out of it: at its rate, in pieces, in files."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from distill.audio.io import SoundPieces, open_writer, read_pieces
from distill.audio.resampling import resample, resampled_length, resampled_pieces
from distill.errors import AudioFileError
from distill.names import printable

_log = logging.getLogger(__name__)

_HELD_SAMPLES = 1 << 24  # 6 minutes at 48 kHz: longer sounds are resampled again at each pass
_HELD_BYTES = 1 << 26
_PIECE_BYTES = 1 << 22


class SoundAtRate:
    """A sound at another rate, in pieces that may be gone through several times.

    Args:
        pieces: (samples,) each; iterated over at each pass.
        samples: of all of them together, at least 1.
        from_rate: theirs, in Hz.
        to_rate: wanted, in Hz.
    """

    def __init__(
        self, pieces: Iterable[Tensor], samples: int, from_rate: int, to_rate: int
    ) -> None:
        self._pieces, self._before = pieces, samples
        self._from_rate, self._to_rate = from_rate, to_rate
        self.samples = resampled_length(samples, from_rate, to_rate)
        """At the wanted rate."""

    @cached_property
    def peak(self) -> float:
        """Largest absolute sample."""
        return max(float(piece.abs().max()) for piece in self)

    def __iter__(self) -> Iterator[Tensor]:
        if max(self.samples, self._before) <= _HELD_SAMPLES:
            yield self._whole
        else:
            yield from resampled_pieces(self._pieces, self._before, self._from_rate, self._to_rate)

    @cached_property
    def _whole(self) -> Tensor:
        parts = list(self._pieces)
        whole = torch.cat(parts) if len(parts) > 1 else parts[0]
        return resample(whole, self._from_rate, self._to_rate)


def opened(path: str | os.PathLike[str]) -> SoundPieces:
    """A sound file in pieces; what was done to it goes to the log as a warning.

    Raises:
        AudioFileError: it cannot be read, or holds no samples.
    """
    sound = read_pieces(path)
    name = printable(Path(path).name)
    for note in sound.notes:
        _log.warning("%s: %s", name, note)
    return sound


def fitted(sound: Tensor, rate: int, samples: int, to_rate: int) -> Tensor:
    """A sound (…,) brought to another rate and an exact length, cut or filled up with silence."""
    sound = resample(sound, rate, to_rate)
    return F.pad(sound, (0, max(0, samples - len(sound))))[:samples]


def fitted_pieces(
    pieces: Iterable[Tensor], samples: int, rate: int, wanted: int, to_rate: int
) -> Iterator[Tensor]:
    """A sound in pieces brought to another rate and an exact length, cut or filled with silence.

    Args:
        pieces: (samples,) each.
        samples: of all of them together.
        rate: theirs, in Hz.
        wanted: samples wanted.
        to_rate: rate wanted, in Hz.

    Yields:
        (samples,) each.
    """
    left = wanted
    for piece in resampled_pieces(pieces, samples, rate, to_rate):
        if left > 0:
            yield piece[:left]
        left -= len(piece)
    if left > 0:
        yield torch.zeros(left)


def write_pieces(
    path: str | os.PathLike[str],
    pieces: Iterable[Tensor],
    sample_rate: int,
    *,
    made_by: str | Callable[[], str],
    overwrite: bool = False,
) -> Path:
    """Writes a sound that comes in pieces; its format is chosen as by `write_audio`.

    Args:
        path: of the file.
        pieces: (samples,) each.
        sample_rate: in Hz.
        made_by: see `write_audio`; or what says it, asked when all pieces are made.
        overwrite: replace a file that this program did not write.

    Raises:
        OutputExistsError: a file is there that this program did not write.
        AudioFileError: it cannot be written.
    """
    path = Path(path)
    peak = 0.0
    # Only when all of it is made is it known whether it stays below full scale.
    with _spool(path) as made:
        for piece in pieces:
            if len(piece):
                peak = max(peak, float(piece.abs().max()))
            _keep(made, piece, path)
        made.seek(0)
        about = made_by if isinstance(made_by, str) else made_by()
        with open_writer(path, sample_rate, peak=peak, made_by=about, overwrite=overwrite) as write:
            while data := made.read(_PIECE_BYTES):
                write(torch.from_numpy(np.frombuffer(data, np.float32).copy()))
    return path


def _spool(path: Path) -> tempfile.SpooledTemporaryFile[bytes]:
    return tempfile.SpooledTemporaryFile(max_size=_HELD_BYTES, dir=str(path.parent))


def _keep(spool: tempfile.SpooledTemporaryFile[bytes], piece: Tensor, path: Path) -> None:
    try:
        spool.write(piece.to("cpu", torch.float32).numpy().tobytes())
    except OSError as error:
        raise AudioFileError(
            f"{printable(path)}: cannot be written: {error.strerror or error}"
        ) from error
