"""Makes the priors that a prior over the codes of anybody's model starts from, from nothing.

    apt-get install fluidsynth fluid-soundfont-gm musescore-general-soundfont flite
    python -m tools.base_prior --corpora 48  # for codes of the default model, as it is shipped
    python -m tools.base_prior --shape fine --corpora 48  # of twice as many steps a second
    python -m tools.base_prior --work OTHER --seconds 60 --corpora 2 --steps 20  # a moment's try

Killed or stopped, the same command continues: at the clip, the corpus, or the last checkpoint. To
ship what it made, put `base-prior-STEPS.distill` into `distill/data` as `base-prior.distill`, or as
`base-fine-prior.distill`. After another base both have to be made again.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import platformdirs
import torch

from distill.errors import DistillError
from tools.base_prior.corpora import SHAPES
from tools.base_prior.learning import PriorPlan
from tools.base_prior.make import make_base_prior


def _options() -> argparse.ArgumentParser:
    default = PriorPlan()
    work = Path(platformdirs.user_cache_dir("distill-base"))
    options = argparse.ArgumentParser(
        prog="python -m tools.base_prior",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("--shape", choices=SHAPES, default="coarse", help="(%(default)s)")
    options.add_argument("--work", type=Path, default=work, help=f"folder of it all ({work})")
    options.add_argument("--material", type=Path, help="folder of the clips (WORK/material)")
    options.add_argument("--seconds", type=float, default=7200.0, help="of material (%(default)s)")
    options.add_argument("--corpora", type=int, default=24, help="(%(default)s)")
    options.add_argument("--seed", type=int, default=7, help="of what is drawn (%(default)s)")
    options.add_argument("--steps", type=int, default=default.steps, help="(%(default)s)")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; 0 where all went well."""
    options = _options().parse_args(arguments)
    torch.set_num_threads(1)  # the same sums in the same order on every machine
    options.work.mkdir(parents=True, exist_ok=True)
    try:
        path = make_base_prior(
            options.work,
            options.material or options.work / "material",
            SHAPES[options.shape],
            seconds=options.seconds,
            corpora=options.corpora,
            seed=options.seed,
            training=PriorPlan(steps=options.steps),
        )
    except (ValueError, OSError, DistillError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{path}\n{path.with_name('report.md')}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
