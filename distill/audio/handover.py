"""Decoded sounds handed over to a process that is started next, which then need not decode them.

They are written into a file of the cache, whose name that process is given by whoever starts it,
and by nobody else: no run folder names one. It recognises each recording by the digest of its
file's bytes; one that is another by now, or is not in there, is decoded as ever.
"""

from __future__ import annotations

import contextlib
import dataclasses
import mmap
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import torch
from msgspec import Meta
from torch import Tensor

from distill.audio.cache import audio_cache_dir, find_spilled
from distill.checked import Count, Positive, Text, parse_json
from distill.errors import OutsideDataError
from distill.own_folder import OwnFolder

if TYPE_CHECKING:
    from distill.audio.corpus import AudioCorpus
    from distill.audio.corpus_decoder import AudioFile

MOST_BYTES = 4 << 30
"""What is beyond is decoded again."""

_ENDING = ".handed-over.f32"
_HEAD_BYTES = 8
_LARGEST_INDEX = 64 << 20
_STALE_S = 3600.0
_Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class _Entry(msgspec.Struct):
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


class _Index(msgspec.Struct):
    sample_rate: Count
    entries: list[_Entry]


def hand_over(corpus: AudioCorpus, folder: Path | None = None) -> Path | None:
    """Writes the sounds of a corpus down for another process of this machine.

    What earlier processes have left there is removed, where it is older than an hour.

    Args:
        corpus: scanned before.
        folder: default `audio_cache_dir()`; made if missing.

    Returns:
        The file, for `DecodedSounds`; None where there is no room: then they are decoded again.
    """
    folder = audio_cache_dir() if folder is None else folder
    path = folder / f"{uuid.uuid4().hex}{_ENDING}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with OwnFolder(folder) as cache:
            _remove_stale(cache)
            room = min(MOST_BYTES, shutil.disk_usage(folder).free // 2)
            index, waveforms = _plan(corpus, folder, room)
            head = msgspec.json.encode(index)
            head += b" " * (-(_HEAD_BYTES + len(head)) % 4)
            with cache.write(path.name, durable=False) as file:
                file.write(len(head).to_bytes(_HEAD_BYTES, "little") + head)
                for waveform in waveforms:
                    waveform.contiguous().numpy().tofile(file)
    except OSError:
        return None
    return path


def forget(path: Path | None) -> None:
    """Removes what was handed over, where it is still there; who has it open keeps it."""
    if path is not None and path.name.endswith(_ENDING):
        with contextlib.suppress(OSError), OwnFolder(path.parent) as cache:
            cache.remove(path.name)


class DecodedSounds:
    """What another process has decoded, to be looked up by the content of files."""

    def __init__(self, path: Path) -> None:
        """Args:
        path: what `hand_over` gave.

        Raises:
            OSError: it is not there any more, or cannot be read.
            OutsideDataError: it is something else.
        """
        with OwnFolder(path.parent) as cache, cache.read(path.name) as file:
            length = int.from_bytes(file.read(_HEAD_BYTES), "little")
            if length > _LARGEST_INDEX:
                raise OutsideDataError(f"{path.name}: no sounds that were handed over")
            data = file.read(length)
            index: _Index = parse_json(data, _Index, name=path.name, limit=_LARGEST_INDEX)
            self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        self._begin, self._folder = _HEAD_BYTES + length, path.parent
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

    def _waveform(self, entry: _Entry) -> Tensor | None:
        if entry.at is None:
            return find_spilled(entry.sha256, self.sample_rate, entry.samples, self._folder)
        offset = self._begin + 4 * entry.at
        if offset + 4 * entry.samples > len(self._bytes):  # cut short
            return None
        return torch.frombuffer(
            self._bytes, dtype=torch.float32, count=entry.samples, offset=offset
        )


def _plan(corpus: AudioCorpus, folder: Path, room: int) -> tuple[_Index, list[Tensor]]:
    """What is handed over, and the waveforms to write."""
    entries: list[_Entry] = []
    waveforms: list[Tensor] = []
    at = 0
    for file, waveform in zip(corpus.files, corpus.waveforms, strict=True):
        samples = len(waveform)
        if not file.file_sha256:  # of a corpus that was not scanned
            continue
        if find_spilled(file.sha256, corpus.sample_rate, samples, folder) is not None:
            entries.append(_entry(file, samples, None))
        elif 4 * (at + samples) <= room:
            entries.append(_entry(file, samples, at))
            waveforms.append(waveform)
            at += samples
    return _Index(corpus.sample_rate, entries), waveforms


def _entry(file: AudioFile, samples: int, at: int | None) -> _Entry:
    fields = dataclasses.asdict(file)
    del fields["path"]
    return _Entry(**{**fields, "notes": list(file.notes)}, samples=samples, at=at)


def _remove_stale(cache: OwnFolder) -> None:
    for entry in cache.entries():
        if entry.name.endswith(_ENDING):
            found = cache.stat(entry.name)
            if found is not None and time.time() - found.st_mtime > _STALE_S:
                with contextlib.suppress(OSError):
                    cache.remove(entry.name)


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
