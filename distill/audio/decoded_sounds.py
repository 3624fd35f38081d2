"""Sounds that another process has decoded and handed over, so that this one need not.

They are written into a file of the cache, whose name that process is given by whoever starts it,
and by nobody else: no run folder names one. It recognises each recording by the digest of its
file's bytes; one that is another by now, or is not in there, is decoded as ever.
"""

from __future__ import annotations

import contextlib
import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
import torch
from msgspec import Meta
from torch import Tensor

from distill.audio.cache import find_spilled
from distill.checked import Count, Positive, Text, parse_json
from distill.errors import OutsideDataError
from distill.own_folder import OwnFolder

ENDING = ".handed-over.f32"
"""Of the names of such files."""
HEAD_BYTES = 8
"""The length of the index, little-endian, before it."""
LARGEST_INDEX = 64 << 20
_Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class Entry(msgspec.Struct):
    """One sound of a file that was handed over."""

    file_sha256: _Digest
    sha256: _Digest
    seconds: Positive
    sample_rate: Count
    channels: Count
    peak: Positive
    notes: list[Text]
    samples: Annotated[int, Meta(ge=1, le=2**40)]
    at: Count | None
    """Where its samples begin, counted in samples; None: they are in the cache by themselves."""


class Index(msgspec.Struct):
    """What such a file says of its contents, as JSON before the samples."""

    sample_rate: Count
    entries: list[Entry]


def forget(path: Path | None) -> None:
    """Removes what was handed over, where it is still there; who has it open keeps it."""
    if path is not None and path.name.endswith(ENDING):
        with contextlib.suppress(OSError), OwnFolder(path.parent) as cache:
            cache.remove(path.name)


class DecodedSounds:
    """What another process has decoded, to be looked up by the content of files.

    Args:
        path: what `hand_over` returned.

    Raises:
        OSError: it is not there any more, or cannot be read.
        OutsideDataError: it is something else.
    """

    def __init__(self, path: Path) -> None:
        with OwnFolder(path.parent) as cache, cache.read(path.name) as file:
            length = int.from_bytes(file.read(HEAD_BYTES), "little")
            if length > LARGEST_INDEX:
                raise OutsideDataError(f"{path.name}: no sounds that were handed over")
            data = file.read(length)
            index: Index = parse_json(data, Index, name=path.name, limit=LARGEST_INDEX)
            self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        self._begin, self._folder = HEAD_BYTES + length, path.parent
        self.sample_rate = index.sample_rate
        """Of all of them, in Hz."""
        self._entries = {entry.file_sha256: entry for entry in index.entries}

    def find(self, file_sha256: str) -> tuple[dict[str, Any], Tensor] | None:
        """The fields of an `AudioFile` but its path, and its waveform; None where it is not there.

        Args:
            file_sha256: digest of a file's bytes.
        """
        entry = self._entries.get(file_sha256)
        waveform = self._waveform(entry) if entry else None
        if entry is None or waveform is None:
            return None
        fields = msgspec.structs.asdict(entry)
        del fields["samples"], fields["at"]
        return {**fields, "notes": tuple(entry.notes)}, waveform

    def _waveform(self, entry: Entry) -> Tensor | None:
        if entry.at is None:
            return find_spilled(entry.sha256, self.sample_rate, entry.samples, self._folder)
        offset = self._begin + 4 * entry.at
        if offset + 4 * entry.samples > len(self._bytes):  # cut short
            return None
        return torch.frombuffer(
            self._bytes, dtype=torch.float32, count=entry.samples, offset=offset
        )


@contextlib.contextmanager
def received(path: Path | None, *, keep: bool = False) -> Iterator[DecodedSounds | None]:
    """Opens what was handed over, and removes it.

    Args:
        path: of it; None: nothing was.
        keep: removes it in the end only: others are to open it, too.

    Yields:
        None where there is nothing, or nothing that can be used: all is decoded then.
    """
    decoded: DecodedSounds | None = None
    if path is not None:
        with contextlib.suppress(OSError, OutsideDataError, ValueError):
            decoded = DecodedSounds(path)
    if not keep:
        forget(path)
    try:
        yield decoded
    finally:
        forget(path)
