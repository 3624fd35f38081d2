"""Hands decoded sounds over to a process that is started next; see `decoded_sounds`."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import time
import uuid
from pathlib import Path

import msgspec
from torch import Tensor

from distill.audio.cache import audio_cache_dir, find_spilled
from distill.audio.corpus import AudioCorpus
from distill.audio.corpus_decoder import AudioFile
from distill.audio.decoded_sounds import ENDING, HEAD_BYTES, Entry, Index
from distill.own_folder import OwnFolder

MOST_BYTES = 4 << 30
"""What is beyond is decoded again."""
_STALE_S = 3600.0


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
    path = folder / f"{uuid.uuid4().hex}{ENDING}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with OwnFolder(folder) as cache:
            _remove_stale(cache)
            room = min(MOST_BYTES, shutil.disk_usage(folder).free // 2)
            index, waveforms = _plan(corpus, folder, room)
            head = msgspec.json.encode(index)
            head += b" " * (-(HEAD_BYTES + len(head)) % 4)
            with cache.write(path.name, durable=False) as file:
                file.write(len(head).to_bytes(HEAD_BYTES, "little") + head)
                for waveform in waveforms:
                    waveform.contiguous().numpy().tofile(file)
    except OSError:
        return None
    return path


def _plan(corpus: AudioCorpus, folder: Path, room: int) -> tuple[Index, list[Tensor]]:
    """What is handed over, and the waveforms to write."""
    entries: list[Entry] = []
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
    return Index(corpus.sample_rate, entries), waveforms


def _entry(file: AudioFile, samples: int, at: int | None) -> Entry:
    fields = dataclasses.asdict(file)
    del fields["path"], fields["group"]  # whoever reads it finds them by where it lies
    return Entry(**{**fields, "notes": list(file.notes)}, samples=samples, at=at)


def _remove_stale(cache: OwnFolder) -> None:
    for entry in cache.entries():
        if entry.name.endswith(ENDING):
            found = cache.stat(entry.name)
            if found is not None and time.time() - found.st_mtime > _STALE_S:
                with contextlib.suppress(OSError):
                    cache.remove(entry.name)
