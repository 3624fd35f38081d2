"""What is normal: curves of short runs on many corpora, as bands of what was lowest and highest.

    python benchmarks/normal_runs.py                  # the table
    python benchmarks/normal_runs.py --write          # and the package's reference_runs.json
    python benchmarks/normal_runs.py --write --family vae --size small
    python benchmarks/normal_runs.py --known --save   # what the package's file says, unmeasured

Small corpora are what people have of one kind: a kit, a voice saying one word, the drones; middle
ones are halves and mixtures of them, large ones whole collections. Each is trained on with the
settings that fit it, from the base (RVQ-VAEs, which have one) or from nothing, with a seed of its
own, and as the beginning of a budget that changes from one to the next, since the learning rate
falls over the budget. All end after the same steps. What a run reports at the ends of its epochs is
what `distill.training.watch.epoch_curves` names; between two epochs lies a straight line. How high
a loss is depends on the sounds, so that losses are told in multiples of a run's own first. Bands of
kinds that were not asked for stay in the file.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from common import SHARED_DATA, parser, report, save, sounds_in

from distill import (
    AudioCorpus,
    get_adaptive_config,
    get_adaptive_vqvae_config,
    make_demo_corpus,
)
from distill.atomic import write_atomically
from distill.codebook import LevelHealth
from distill.config.start import BASE, NOTHING
from distill.family import Family, family, family_of
from distill.training import TrainingResult
from distill.training.fronts import train
from distill.training.run.start import RunStart
from distill.training.watch.epoch_curves import epoch_values, health_name, loss_name
from distill.training.watch.event_lines import EPOCHS
from distill.training.watch.normal import (
    REFERENCE_FILE,
    SIZE_CLASSES,
    Band,
    Bands,
    ReferenceRuns,
    compared_settings,
    read_reference_runs,
    size_class,
)

STARTS = [BASE, NOTHING]
SETTINGS: dict[str, Callable[..., Any]] = {
    "vqvae": get_adaptive_vqvae_config,
    "vae": get_adaptive_config,
}
SIZES = dict(zip(("small", "middle", "large"), SIZE_CLASSES, strict=True))
FEWEST, MOST = 3, SIZE_CLASSES[0][1]
"""Files of a small corpus."""
DEMOS = 4
STEPS = 200
GRID = 50
BUDGETS = (200, 700, 2500)
"""Steps of a run's budget, of which the first `STEPS` are trained."""

SHOWN = (
    loss_name("training", "loss"),
    loss_name("validation", "loss"),
    health_name(LevelHealth.curves[0], 0),
)
Curves = dict[str, np.ndarray]
Corpora = dict[str, list[Path]]


def corpora(folder: Path) -> Corpora:
    """All there are, by name."""
    demos = {
        f"demo {seed}": make_demo_corpus(folder / str(seed), seed=seed) for seed in range(DEMOS)
    }
    samples, digits = (sounds_in(SHARED_DATA / name) for name in ("sonic_pi", "spoken_digits"))
    if not samples or not digits:
        sys.exit("skipped: sonic_pi and spoken_digits are not beside this checkout")
    kinds = by_word("sonic_pi", samples) | by_word("digit", digits[:30])
    kinds |= by_word("demo", demos["demo 1"])
    few = {name: sounds[:MOST] for name, sounds in kinds.items() if len(sounds) >= FEWEST}
    some = {"digits": digits, "digits, odd": digits[1::2], **demos}
    some |= {f"sonic_pi {first} of 4": samples[first::4] for first in range(4)}
    some |= {f"sonic_pi {first} of 2": samples[first::2] for first in range(2)}
    many = {
        "sonic_pi": samples,
        "sonic_pi and digits": samples + digits,
        "sonic_pi and demos": samples + demos["demo 1"] + demos["demo 2"],
        "demos": [sound for sounds in demos.values() for sound in sounds],
        "all but a half": samples[::2] + digits + demos["demo 3"],
    }
    return few | some | many


def by_word(name: str, sounds: list[Path]) -> Corpora:
    """Those whose names begin with the same word."""
    found: Corpora = {}
    for sound in sounds:
        word = re.split("[-_]", sound.stem)[0]
        found.setdefault(f"{name} {word}", []).append(sound)
    return found


def trained(corpus: AudioCorpus, config: Any, start: str) -> TrainingResult:
    """A run that is stopped at the epoch that reaches `STEPS`."""
    enough = threading.Event()

    def watch(event: object) -> None:
        if isinstance(event, EPOCHS) and event.step >= STEPS:
            enough.set()

    with tempfile.TemporaryDirectory() as folder:
        return train(config, corpus, Path(folder) / "run", "cpu", watch, enough, start=start)


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
    """The lowest and the highest of some runs of one kind; losses in multiples of a run's first."""
    first = group[0]
    curves = {name: np.stack([run["curves"][name] for run in group]) for name in first["curves"]}
    whole = {name: rows for name, rows in curves.items() if np.isfinite(rows).all()}
    parts = ("loss", *family(first["family"]).loss_parts)
    losses = [loss_name(side, part) for side in ("training", "validation") for part in parts]
    relative = [name for name in losses if name in whole and whole[name][:, 0].all()]
    whole |= {name: whole[name] / whole[name][:, :1] for name in relative}
    return Band(
        family=first["family"],
        start=first["start"],
        digest=first["digest"],
        files=first["files"],
        settings=first["settings"],
        runs=len(group),
        corpora=sorted({run["corpus"] for run in group}),
        steps=grid.tolist(),
        relative=relative,
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
        known = {
            name: AudioCorpus.scan(x, progress=False) for name, x in corpora(Path(folder)).items()
        }
        for size in asked.size:
            chosen = {name: x for name, x in known.items() if size_class(len(x)) == SIZES[size]}
            for kind in asked.family:
                for start in asked.start if family(kind).warm_start else [NOTHING]:
                    for number, (name, corpus) in enumerate(chosen.items()):
                        config = SETTINGS[kind](
                            len(corpus), corpus.seconds, max_steps=BUDGETS[number % len(BUDGETS)],
                            seed=number, preview_every_epochs=0,
                        )  # fmt: skip
                        yield {"corpus": name, **one_run(corpus, config, start, grid, name)}


def one_run(
    corpus: AudioCorpus, config: Any, start: str, grid: np.ndarray, name: str
) -> dict[str, Any]:
    """What a run was, and its curves."""
    about, began_with = family_of(config), RunStart.chosen(start, config)
    result = trained(corpus, config, start)
    losses = [round(epoch.val_loss, 4) for epoch in result.history.epochs]
    print(
        name, about.name, start, f"{result.steps} steps, {result.elapsed_s:.0f} s", losses,
        flush=True,
    )  # fmt: skip
    return {
        "start": began_with.model,
        "digest": began_with.digest,
        "family": about.name,
        "files": size_class(len(corpus)),
        "settings": compared_settings(config),
        "curves": on_grid(about, result, grid),
    }


def kind_of(one: Band) -> tuple[Any, ...]:
    """What a run and a band have in common."""
    return one.family, one.start, one.digest, one.files, sorted(one.settings.items())


def beside_others(bands: list[Band]) -> ReferenceRuns:
    """These, and those of other kinds that are known already."""
    new = [kind_of(one) for one in bands]
    known = read_reference_runs(REFERENCE_FILE).bands if REFERENCE_FILE.is_file() else []
    return ReferenceRuns([*(one for one in known if kind_of(one) not in new), *bands])


def as_json(runs: ReferenceRuns) -> bytes:
    """The package's file, a curve a line."""
    return msgspec.json.format(msgspec.json.encode(runs), indent=0) + b"\n"


def bands_of(asked: argparse.Namespace) -> list[Band]:
    """Those that are known, or as measured now."""
    if asked.known:
        sizes = [SIZES[size] for size in asked.size]
        return [
            one for one in read_reference_runs(REFERENCE_FILE).bands
            if one.family in asked.family and one.start in asked.start and one.files in sizes
        ]  # fmt: skip
    grid = np.arange(GRID, STEPS + 1, GRID)
    groups: dict[str, list[dict[str, Any]]] = {}
    for run in measured(asked, grid):
        key = str([run[name] for name in ("family", "start", "digest", "files", "settings")])
        groups.setdefault(key, []).append(run)
    return [band(group, grid) for group in groups.values()]


def quoted(bands: list[Band]) -> dict[str, list[float]]:
    """What pages quote: lowest and highest of each curve that is shown, by kind and step."""
    found = {}
    for one in bands:
        kind = f"{one.start}_{one.files[0]}_{one.files[1]}_by_{one.settings['batch_size']}"
        for at, step in enumerate(one.steps):
            shown = [one.curves[name] for name in SHOWN if name in one.curves]
            ends = [side[at] for curve in shown for side in (curve.low, curve.high)]
            name = f"{one.family}_{kind}_at_{step}"
            assert name not in found, f"two bands are called {name}"
            found[name] = ends
    return found


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--write", action="store_true", help="also write the package's file")
    options.add_argument("--known", action="store_true", help="what the package's file says")
    options.add_argument("--size", nargs="+", default=[*SIZES], choices=SIZES, help="in files")
    options.add_argument("--start", nargs="+", default=STARTS, choices=STARTS, help="from what")
    options.add_argument("--family", nargs="+", default=[*SETTINGS], choices=SETTINGS)
    arguments = options.parse_args()
    bands = bands_of(arguments)
    if arguments.write:
        with write_atomically(REFERENCE_FILE) as file:
            file.write(as_json(beside_others(bands)))
    rows = [
        {
            "family": one.family, "corpora": len(one.corpora),
            "files": f"{one.files[0]}-{one.files[1]}", "batch": one.settings["batch_size"],
            "start": one.start, "runs": one.runs, "step": step,
            **{
                name: f"{one.curves[name].low[at]:.3f} to {one.curves[name].high[at]:.3f}"
                if name in one.curves else ""
                for name in SHOWN
            },
        }
        for one in bands
        for at, step in enumerate(one.steps)
    ]  # fmt: skip
    report("What is normal: lowest to highest", rows, arguments.json)
    save(arguments, quoted(bands))


if __name__ == "__main__":
    main()
