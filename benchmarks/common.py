"""What the benchmarks share: recordings, a table, JSON."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def recordings(name: str = "sonic_pi") -> list[Path]:
    """The real recordings, sorted; ends the benchmark with a reason where they are absent."""
    folder = SHARED_DATA / name
    if not folder.is_dir():
        sys.exit(f"skipped: {name} is not beside this checkout")
    return sorted(folder.glob("*.flac")) + sorted(folder.glob("*.wav"))


def held_out_split(paths: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """(to train on, every fifth to judge by)."""
    judged = list(paths[::5])
    return [path for path in paths if path not in set(judged)], judged


def parser(about: str) -> argparse.ArgumentParser:
    """Options every benchmark has."""
    options = argparse.ArgumentParser(description=about)
    options.add_argument("--json", type=Path, help="also write the rows to this file")
    return options


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


def _text(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
