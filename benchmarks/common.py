"""What the benchmarks share: recordings, a table, JSON."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

FIGURES = Path(__file__).resolve().parents[1] / "docs" / "figures"
_OUTPUTS = ("--save", "--json")
SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def recordings(name: str = "sonic_pi") -> list[Path]:
    """The real recordings, sorted; ends the benchmark with a reason where they are absent."""
    folder = SHARED_DATA / name
    if not folder.is_dir():
        sys.exit(f"skipped: {name} is not beside this checkout")
    return sounds_in(folder)


def sounds_in(folder: Path) -> list[Path]:
    """The FLAC and WAV files of a folder, sorted."""
    return sorted(folder.glob("*.flac")) + sorted(folder.glob("*.wav"))


def held_out_split(paths: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """(to train on, every fifth to judge by)."""
    judged = list(paths[::5])
    return [path for path in paths if path not in set(judged)], judged


def parser(about: str, *, count: int | None = None) -> argparse.ArgumentParser:
    """Options every benchmark has; with `count`, its default, also how much to try."""
    options = argparse.ArgumentParser(description=about)
    if count is not None:
        options.add_argument("--count", type=int, default=count, help="inputs to try of each kind")
    options.add_argument("--json", type=Path, help="also write the rows to this file")
    options.add_argument(
        "--save", nargs="?", const="", metavar="NAME",
        help="also write what pages quote to docs/figures/NAME.json, by default of this program",
    )  # fmt: skip
    return options


def save(
    options: argparse.Namespace,
    figures: Mapping[str, float | Sequence[float]],
    part: str = "",
) -> None:
    """Writes figures for the pages that quote them, where asked; see `tools/figures.py`.

    Args:
        options: of `parser`, as they were given.
        figures: what was measured, by names without spaces.
        part: of a program whose parts can be measured one by one, as `-traffic`.
    """
    if options.save is None:
        return
    program = Path(sys.argv[0])
    asked = _without_outputs(sys.argv[1:])
    said = {
        "command": " ".join(["python", f"benchmarks/{program.name}", *asked]),
        "date": datetime.now(timezone.utc).date().isoformat(),
        "recorded": "by the program",
        "torch": version("torch"),
        "processors": os.cpu_count(),
        "machine": platform.machine(),
        "figures": {name: _shortened(value) for name, value in figures.items()},
    }
    FIGURES.mkdir(parents=True, exist_ok=True)
    path = FIGURES / f"{options.save or program.stem + part}.json"
    path.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")


def _without_outputs(words: Sequence[str]) -> list[str]:
    """What was asked of the program, apart from where its results go."""
    kept, before = [], ""
    for word in words:
        is_place = before in _OUTPUTS and not word.startswith("--")
        if not is_place and not word.startswith(_OUTPUTS):
            kept.append(word)
        before = word
    return kept


def _shortened(value: float | Sequence[float]) -> float | list[float]:
    if isinstance(value, Sequence):
        return [float(f"{one:.6g}") for one in value]
    return float(f"{value:.6g}")


def report(title: str, rows: Iterable[dict[str, Any]], json_path: Path | None = None) -> None:
    """Prints rows as a table and writes them as JSON where asked."""
    rows = list(rows)
    print(f"{title} ({os.cpu_count()} cores, {platform.machine()})")
    columns = list(rows[0])
    texts = [[_text(row[column]) for column in columns] for row in rows]
    widths = [max(map(len, cells)) for cells in zip(columns, *texts, strict=True)]
    for cells in [columns, *texts]:
        print("  ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True)))
    if json_path:
        json_path.write_text(json.dumps({"title": title, "rows": rows}, indent=1))


@dataclass
class Counts:
    """What a kind of odd or hostile input did, counted; everything but `tried` should be 0."""

    kind: str
    tried: int = 0
    foreign: int = 0
    """Exceptions that are not distill's."""
    silent: int = 0
    """Wrong, and nobody said so: half of it read, a value out of its range accepted."""
    executed: int = 0
    """Ran something."""
    written_outside: int = 0
    """Wrote, cut or deleted what was not its own."""
    hidden: int = 0
    """Kept others of a list from being shown."""
    killed: int = 0
    """Processes that ended by memory, time or a signal."""

    @property
    def faults(self) -> int:
        """Everything that went wrong."""
        return sum(getattr(self, name) for name in _FAULTS)


_FAULTS = [item.name for item in fields(Counts)][2:]
_HEADS = {"foreign": "foreign exceptions", "written_outside": "written outside"}


def counts_table(title: str, rows: Iterable[Counts], options: argparse.Namespace) -> int:
    """Prints and saves a row a kind and a sum; returns the number of faults, for the exit code."""
    rows = list(rows)
    total = Counts("all")
    for row in rows:
        for name in ("tried", *_FAULTS):
            setattr(total, name, getattr(total, name) + getattr(row, name))
    shown = [
        {_HEADS.get(name, name): value for name, value in asdict(row).items()}
        for row in (*rows, total)
    ]
    report(title, shown, options.json)
    save(options, {name: getattr(total, name) for name in _FAULTS})
    return total.faults


def _text(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
