"""What is normal: the curves of several short runs, as bands of what was lowest and highest.

    python benchmarks/normal_runs.py                  # the table
    python benchmarks/normal_runs.py --write          # and the package's reference_runs.json
    python benchmarks/normal_runs.py --write --data demo spoken_digits --start base

Each corpus is trained on with the settings that fit it, from the base and from nothing, three times
each: with another seed and as the beginning of a longer budget, since the learning rate falls over
the budget. All end after the same steps. What a run reports at the ends of its epochs is what
`distill.training.watch.epoch_curves` names; between two epochs lies a straight line.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from common import SHARED_DATA, parser, report, sounds_in

from distill import AudioCorpus, get_adaptive_vqvae_config, make_demo_corpus, train_vqvae
from distill.atomic import write_atomically
from distill.config.start import BASE, NOTHING
from distill.family import Family, family_of
from distill.training import TrainingResult
from distill.training.run.start import RunStart
from distill.training.watch.epoch_curves import epoch_values
from distill.training.watch.event_lines import EPOCHS
from distill.training.watch.normal import (
    REFERENCE_FILE,
    Band,
    Bands,
    ReferenceRuns,
    compared_settings,
    size_class,
)

DEMO = "demo"
CORPORA, STARTS = [DEMO, "spoken_digits", "sonic_pi"], [BASE, NOTHING]
STEPS = 200
GRID = 50
BUDGETS = (200, 700, 2500)
"""Steps of each repetition's budget, of which the first `STEPS` are trained."""

Curves = dict[str, np.ndarray]


def corpora(names: list[str], folder: Path) -> Iterator[tuple[str, AudioCorpus]]:
    """Those that are there, by name."""
    for name in names:
        if name == DEMO:
            yield name, AudioCorpus.scan(make_demo_corpus(folder), progress=False)
        elif sounds := sounds_in(SHARED_DATA / name):
            yield name, AudioCorpus.scan(sounds, progress=False)
        else:
            print(f"left out: {name} is not beside this checkout", flush=True)


def trained(corpus: AudioCorpus, config: Any, start: str) -> TrainingResult:
    """A run that is stopped at the epoch that reaches `STEPS`."""
    enough = threading.Event()

    def watch(event: object) -> None:
        if isinstance(event, EPOCHS) and event.step >= STEPS:
            enough.set()

    with tempfile.TemporaryDirectory() as folder:
        return train_vqvae(config, corpus, Path(folder) / "run", "cpu", watch, enough, start=start)


def on_grid(family: Family, result: TrainingResult, grid: np.ndarray) -> Curves:
    """Every curve of a run at the steps of the grid, (steps,)."""
    found = [epoch_values(family, epoch) for epoch in result.history.epochs]
    steps = [epoch.step for epoch in result.history.epochs]
    names = found[0] if found else {}
    return {
        name: np.interp(grid, steps, [values[name] for values in found], left=np.nan, right=np.nan)
        for name in names
    }


def band(group: list[dict[str, Any]], grid: np.ndarray) -> Band:
    """The lowest and the highest of some runs of one kind."""
    first = group[0]
    curves = {name: np.stack([run["curves"][name] for run in group]) for name in first["curves"]}
    whole = {name: rows for name, rows in curves.items() if np.isfinite(rows).all()}
    return Band(
        family=first["family"],
        start=first["start"],
        digest=first["digest"],
        files=first["files"],
        settings=first["settings"],
        runs=len(group),
        corpora=sorted({run["corpus"] for run in group}),
        steps=grid.tolist(),
        curves={
            name: Bands(_rounded(rows.min(axis=0)), _rounded(rows.max(axis=0)))
            for name, rows in whole.items()
        },
    )


def _rounded(values: np.ndarray) -> list[float]:
    return [float(f"{value:.4g}") for value in values]


def measured(asked: argparse.Namespace, grid: np.ndarray) -> Iterator[dict[str, Any]]:
    """A run each: what it was, and its curves."""
    with tempfile.TemporaryDirectory() as folder:
        for name, corpus in corpora(asked.data, Path(folder)):
            for start in asked.start:
                for seed, budget in enumerate(BUDGETS):
                    config = get_adaptive_vqvae_config(
                        len(corpus), corpus.seconds,
                        max_steps=budget, seed=seed, preview_every_epochs=0,
                    )  # fmt: skip
                    began_with = RunStart.chosen(start, config)
                    result = trained(corpus, config, start)
                    losses = [round(epoch.val_loss, 4) for epoch in result.history.epochs]
                    print(
                        name,
                        start,
                        f"{result.steps} steps, {result.elapsed_s:.0f} s",
                        losses,
                        flush=True,
                    )
                    yield {
                        "corpus": name,
                        "start": began_with.model,
                        "digest": began_with.digest,
                        "family": family_of(config).name,
                        "files": size_class(len(corpus)),
                        "settings": compared_settings(config),
                        "curves": on_grid(family_of(config), result, grid),
                    }


def as_json(runs: ReferenceRuns) -> bytes:
    """The package's file, a curve a line."""
    return msgspec.json.format(msgspec.json.encode(runs), indent=0) + b"\n"


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--write", action="store_true", help="also write the package's file")
    options.add_argument("--data", nargs="+", default=CORPORA, choices=CORPORA, help="corpora")
    options.add_argument("--start", nargs="+", default=STARTS, choices=STARTS, help="from what")
    arguments = options.parse_args()
    grid = np.arange(GRID, STEPS + 1, GRID)
    groups: dict[str, list[dict[str, Any]]] = {}
    for run in measured(arguments, grid):
        key = str([run[name] for name in ("family", "start", "digest", "files", "settings")])
        groups.setdefault(key, []).append(run)
    bands = [band(group, grid) for group in groups.values()]
    if arguments.write:
        with write_atomically(REFERENCE_FILE) as file:
            file.write(as_json(ReferenceRuns(bands)))
    shown = ("training loss", "validation loss", "entropy / bits 0")
    rows = [
        {
            "corpora": " ".join(one.corpora), "files": f"{one.files[0]}-{one.files[1]}",
            "start": one.start, "runs": one.runs, "step": step,
            **{
                name: f"{one.curves[name].low[at]:.3f} to {one.curves[name].high[at]:.3f}"
                for name in shown
            },
        }
        for one in bands
        for at, step in enumerate(one.steps)
    ]  # fmt: skip
    report("What is normal: lowest to highest", rows, arguments.json)


if __name__ == "__main__":
    main()
