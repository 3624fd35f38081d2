"""Odd arrays, places and rates, given to everything that takes them: whose errors come back."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from common import Counts, counts_table, parser

from tests.families import FAMILIES
from tests.odd_arrays import Outcome, small_model, tries


def outcomes(folder: Path, count: int, seed: int) -> Iterator[Outcome]:
    """As many of every family's model, one after the other."""
    for name in FAMILIES:
        yield from tries(small_model(name), folder, count, seed)


def main() -> None:
    options = parser(__doc__ or "", count=10_000)
    options.add_argument("--seed", type=int, default=0)
    chosen = options.parse_args()
    rows: dict[str, Counts] = {}
    with tempfile.TemporaryDirectory() as folder:
        for outcome in outcomes(Path(folder), chosen.count, chosen.seed):
            row = rows.setdefault(outcome.kind, Counts(outcome.kind))
            row.tried += 1
            row.foreign += outcome.foreign is not None
            row.silent += bool(outcome.silent)
            if outcome.foreign or outcome.silent:
                why = repr(outcome.foreign) if outcome.foreign else outcome.silent
                print(f"  {outcome.kind}: {outcome.what}: {why[:200]}", file=sys.stderr)
    sys.exit(bool(counts_table("Odd arrays, places and rates", rows.values(), chosen)))


if __name__ == "__main__":
    main()
