"""A training of 5, 20, 165, 500 and 5000 files: to its first step, memory, a step, how good it is.

python benchmarks/scale.py
python benchmarks/scale.py --files 5 165 --steps 50

Each is `distill train` in a process of its own, of files that it never read before. They are those
of the demo corpus, each minute of which is made of other random numbers: the same kinds of sound,
however many there are. All make as many steps, from the base, and are judged on a minute that none
of them heard.
"""

from __future__ import annotations

import itertools
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from common import parser, report, save
from quality import held_out_sounds, judge

from distill import RunFolder, StepMetrics, VQStepMetrics, load_model_v2, make_demo_corpus
from distill.words import counted

_JUDGED_SEED = 10_000
_WARM_UP_STEPS = 5


def sounds_of(folder: Path, files: int) -> Path:
    """So many files, in turn of each kind, so that few are not all plucked strings."""
    made: list[Path] = []
    minute = 0
    while len(made) < files:
        paths = make_demo_corpus(folder / "minute", seed=minute)
        for path in sorted(paths, key=lambda path: path.stem.partition("-")[2])[
            : files - len(made)
        ]:
            made.append(path.rename(folder / f"{minute:04}-{path.name}"))
        shutil.rmtree(folder / "minute")
        minute += 1
    return folder


def one_training(sounds: Path, run: Path, steps: int) -> dict[str, Any]:
    """Seconds to the first step, the most memory, and the median step of a training."""
    command = [sys.executable, "-m", "distill.cli", "train", sounds, "--out", run,
               "--device", "cpu", "--max-steps", steps, "--json"]  # fmt: skip
    began, first = time.monotonic(), 0.0
    with tempfile.TemporaryDirectory() as cache:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdout=subprocess.DEVNULL,
            env={**os.environ, "DISTILL_CACHE": cache},
        )
        events = run / "events.jsonl"
        while not first and process.poll() is None:
            first = time.monotonic() - began if events.exists() and events.stat().st_size else 0.0
            time.sleep(0.01)
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"distill train {sounds} ended with {status}")
    times = [
        event.elapsed_s
        for event in RunFolder(run).read_events()[0]
        if isinstance(event, (StepMetrics, VQStepMetrics))
    ][_WARM_UP_STEPS:]
    between = [after - before for before, after in itertools.pairwise(times)]
    return {
        "first step s": first,
        "memory MB": usage.ru_maxrss / 1024,
        "step ms": 1000 * statistics.median(between),
    }


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--files", type=int, nargs="+", default=[5, 20, 165, 500, 5000])
    options.add_argument("--steps", type=int, default=200)
    arguments = options.parse_args()
    rows, figures = [], {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        judged = held_out_sounds(make_demo_corpus(folder / "judged", seed=_JUDGED_SEED))
        for files in arguments.files:
            sounds = sounds_of(folder / f"{files}", files)
            run = folder / f"run-{files}"
            row = {"files": files, **one_training(sounds, run, arguments.steps)}
            model = load_model_v2(run / "model.distill")
            row |= judge(model, judged, model.config.levels)
            print(row, flush=True)
            rows.append(row)
            for figure, column in (
                ("first_s", "first step s"), ("mb", "memory MB"), ("step_ms", "step ms"),
                ("two", "two-scale mel"), ("mel", "mel"), ("stft", "STFT"),
            ):  # fmt: skip
                figures[f"{figure}_{files}"] = row[column]
    title = f"Trainings of {counted(arguments.steps, 'step')}"
    report(title, rows, arguments.json)
    save(arguments, figures)


if __name__ == "__main__":
    main()
