"""Waveforms that do not fit in memory: raw float32 files, memory-mapped where they lie."""

from __future__ import annotations

import contextlib
import os
import re
import uuid
from collections.abc import Iterable
from pathlib import Path

import platformdirs
import torch
from torch import Tensor

_SUFFIX = ".f32"
CODES_SUFFIX = ".codes.npz"
"""Of files of codes, which lie beside the waveforms that they were made of."""
_OURS = re.compile(
    r"[0-9a-f]{64}-\d+(\.f32|\.[0-9a-f]{32}\.tmp)"  # waveforms, and those half written
    r"|[0-9a-f]{64}-[0-9a-f]{32}\.codes\.npz"
    r"|[0-9a-f]{32}\.handed-over\.f32"  # see handover.py
)
"""Names that nobody gives by hand: `DISTILL_CACHE` may name a folder of somebody's own files."""


def audio_cache_dir() -> Path:
    """Where large corpora are memory-mapped from; may not exist yet.

    The environment variable DISTILL_CACHE names another place.
    """
    chosen = os.environ.get("DISTILL_CACHE")
    return Path(chosen) if chosen else platformdirs.user_cache_path("distill") / "audio"


def clear_audio_cache(folder: Path | None = None) -> int:
    """Deletes the cached waveforms and codes, and the folder once it is empty.

    Returns the bytes set free. Files of others in the folder stay. Corpora in use lose nothing on
    Linux and macOS, where an open mapping outlives its file.
    """
    folder = audio_cache_dir() if folder is None else folder
    freed = 0
    for path, size in _our_files(folder):
        with contextlib.suppress(FileNotFoundError):  # somebody else cleared it, too
            path.unlink()
            freed += size
    if folder.is_dir() and not any(folder.iterdir()):
        with contextlib.suppress(OSError):  # somebody else cleared it, or has put something there
            folder.rmdir()
    return freed


def audio_cache_size(folder: Path | None = None) -> int:
    """Bytes that clearing the cache would set free; 0 where there is none."""
    return sum(size for _, size in _our_files(audio_cache_dir() if folder is None else folder))


def _our_files(folder: Path) -> list[tuple[Path, int]]:
    """Regular files of our names, with their sizes; links and folders are nobody's waveforms."""
    if not folder.is_dir():
        return []
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if _OURS.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                with contextlib.suppress(FileNotFoundError):  # a trainer has just taken it away
                    found.append((folder / entry.name, entry.stat(follow_symlinks=False).st_size))
    return found


def spill(waveform: Tensor, key: str, folder: Path) -> Tensor:
    """Puts a waveform on disk and maps it back.

    Args:
        waveform: (samples,) float32.
        key: names the content; the same key is written once.
        folder: the cache, made if missing.

    Returns:
        (samples,) float32 backed by the file.
    """
    return spill_pieces(iter([waveform]), waveform.numel(), key, folder)


def key_of(sha256: str, sample_rate: int) -> str:
    """What the cache calls a sound: by the digest of its samples and the rate they are kept at."""
    return f"{sha256}-{sample_rate}"


def find_spilled(sha256: str, sample_rate: int, samples: int, folder: Path) -> Tensor | None:
    """Maps a waveform that is in the cache; None where it is not."""
    path = folder / f"{key_of(sha256, sample_rate)}{_SUFFIX}"
    if not path.is_file() or path.stat().st_size != samples * 4:
        return None
    return torch.from_file(str(path), shared=False, size=samples, dtype=torch.float32)


def spill_pieces(pieces: Iterable[Tensor], samples: int, key: str, folder: Path) -> Tensor:
    """Puts a waveform that comes in pieces on disk and maps it back.

    Args:
        pieces: (samples,) float32 each.
        samples: of all of them together.
        key: names the content; the same key is written once, and then no piece is asked for.
        folder: the cache, made if missing.

    Returns:
        (samples,) float32 backed by the file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{key}{_SUFFIX}"
    if not path.is_file() or path.stat().st_size != samples * 4:
        # Another process may spill the same sound: each writes its own file, the rename decides.
        temporary = path.with_suffix(f".{uuid.uuid4().hex}.tmp")
        try:
            with temporary.open("wb") as file:
                for piece in pieces:
                    piece.contiguous().numpy().tofile(file)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    return torch.from_file(str(path), shared=False, size=samples, dtype=torch.float32)
