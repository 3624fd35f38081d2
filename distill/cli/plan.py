"""Which files a command goes through, and the names of what becomes of them."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from distill.audio.corpus import Refusal, find_files
from distill.errors import ConfigError
from distill.names import printable

_CODES, _SOUND = ".npz", ".reconstruction.wav"


@dataclass(frozen=True)
class Plan:
    """What is to be made of what."""

    pairs: tuple[tuple[Path, Path], ...]
    """Sources and targets."""
    refusals: tuple[Refusal, ...]
    """What lies beside them and is not used."""
    is_folder: bool

    @property
    def names_differ(self) -> bool:
        """Whether targets are several files on every disk: by more than large and small letters."""
        folded = {_folded(target) for _, target in self.pairs}
        return len(folded) == len(self.pairs)

    @property
    def largest_bytes(self) -> int:
        """Of the sources; 0 for those that cannot be looked at."""
        return max((_size(source) for source, _ in self.pairs), default=0)


def make_plan(kind: str, source: Path, out: Path | None) -> Plan:
    """Finds the files of a source and names what becomes of each.

    Args:
        kind: encode, decode or reconstruct.
        source: a file or a folder.
        out: a file for a file, a folder for a folder; default beside the source.

    Raises:
        ConfigError: nothing is there, or a folder's results were asked into a file.
        CorpusError: no such place, or it cannot be looked into.
    """
    is_folder = source.is_dir()
    found, refusals = _found(kind, source, is_folder)
    if not found:
        more = "".join(f"\n  {refusal.reason}" for refusal in refusals[:10])
        raise ConfigError(f"{printable(source)}: nothing to {kind} there{more}")
    if not is_folder:
        target = out or source.with_name(_name(kind, source))
        if target.is_dir():
            target = target / _name(kind, source)
        if kind == "encode" and target.suffix != _CODES:
            target = target.with_name(target.name + _CODES)
        return Plan(((source, target),), (), is_folder=False)
    home = _home(kind, source, out)
    wanted = [home / path.relative_to(source).with_name(_name(kind, path)) for path in found]
    counts = Counter(wanted)
    targets = [
        target if counts[target] == 1 else target.with_name(path.name + _SOUND)
        for path, target in zip(found, wanted, strict=True)
    ]
    return Plan(tuple(zip(found, targets, strict=True)), tuple(refusals), is_folder=True)


def _found(kind: str, source: Path, is_folder: bool) -> tuple[list[Path], list[Refusal]]:
    if kind == "decode":
        return (sorted(source.rglob(f"*{_CODES}")) if is_folder else [source]), []
    found, refusals = find_files(source)
    return (found, refusals) if is_folder else ([source], [])


def _home(kind: str, source: Path, out: Path | None) -> Path:
    if out is not None:
        if out.exists() and not out.is_dir():
            raise ConfigError(f"{printable(out)}: a file; the results of a folder need a folder")
        return out
    place = source if source.name not in ("", "..") else source.resolve()
    if not place.name:
        raise ConfigError(f"{printable(source)}: has nothing beside it; name a folder with --out")
    return place.with_name(f"{place.name}-{kind}{'d' if kind.endswith('e') else 'ed'}")


def _name(kind: str, path: Path) -> str:
    """The whole name of a sound stays in that of its codes: kick.wav and kick.flac are two."""
    if kind == "encode":
        return path.name + _CODES
    name = path.name
    for ending in (_CODES, ".wav") if kind == "decode" else (".wav",):
        if name.lower().endswith(ending) and len(name) > len(ending):
            name = name[: -len(ending)]
    return name + _SOUND


def _folded(path: Path) -> str:
    name = os.path.join(os.path.realpath(path.parent), path.name)  # noqa: PTH118
    return unicodedata.normalize("NFC", name).casefold()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except (OSError, ValueError):
        return 0
