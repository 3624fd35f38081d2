"""What it saves to keep freed memory between steps (distill/training/engine/memory.py, Linux).

    python benchmarks/kept_memory.py

The shortest loop that trains a model, in fresh processes, in turns with and without.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path

from common import parser, recordings, report, save

CODE = """
import itertools, statistics, sys
from engine_step import bare_steps
from distill import AudioCorpus, VQVAEConfig
from distill.training.engine.memory import keep_freed_memory
if sys.argv[1] == "keep":
    assert keep_freed_memory()
corpus = AudioCorpus.scan(sys.argv[2:], progress=False)
steps = itertools.islice(bare_steps(VQVAEConfig(), corpus), 80)
print(1e3 * statistics.median(steps))
"""


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--turns", type=int, default=4)
    arguments = options.parse_args()
    rows = []
    for turn in range(arguments.turns):
        row: dict[str, float] = {"turn": turn}
        for how in ("give back", "keep"):
            command = [sys.executable, "-c", CODE, how, *map(str, recordings())]
            answer = subprocess.check_output(command, cwd=Path(__file__).parent, text=True)
            row[f"{how} ms"] = float(answer)
        rows.append({**row, "keep / give back": row["keep ms"] / row["give back ms"]})
    report("A training step", rows, arguments.json)
    ratio = statistics.median(row["keep / give back"] for row in rows)
    print(f"median {ratio:.3f}")
    save(arguments, {"ratio": ratio})


if __name__ == "__main__":
    main()
