"""Whether a continuous VAE with default settings collapses: how many of its latent units say
anything about the sounds, and how much, in nats a time step.

    python benchmarks/collapse.py                               # on the demo corpus
    python benchmarks/collapse.py --sounds FOLDER --seeds 3 --steps 2000
    python benchmarks/collapse.py --set kl_weight=0.01          # with another setting

A unit is active where its mean varies by more than 0.01 over the sounds (Burda et al. 2015); both
figures are of the best epoch, over the sounds that were held out. Ends with 1 where any model uses
less than 30 % of its units, which is what the dashboard warns of.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from common import parser, report

from distill import AudioCorpus, get_adaptive_config, make_demo_corpus
from distill.health_rows import HEALTHY
from distill.training import train


def row(corpus: AudioCorpus, seed: int, settings: dict[str, float]) -> dict[str, Any]:
    """A model trained from a seed, and what its latents say."""
    config = get_adaptive_config(
        len(corpus), corpus.seconds, seed=seed, preview_every_epochs=0, **settings
    )
    with tempfile.TemporaryDirectory() as folder:
        result = train(config, corpus, Path(folder) / "run", "cpu")
        [health] = result.load().health
    return {
        "seed": seed,
        "steps": result.steps,
        "s": round(result.elapsed_s),
        "active": f"{health.active_units} of {health.units}",
        "KL, nats/step": health.total_kl,
        "least unit's": min(health.kl),
        "verdict": health.verdict,
    }


def setting(text: str) -> tuple[str, float]:
    """NAME=NUMBER, as on the command line."""
    name, _, value = text.partition("=")
    try:
        return name, int(value) if value.isdecimal() else float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text}: expected NAME=NUMBER") from None


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--sounds", type=Path, help="a folder; default the demo corpus")
    options.add_argument("--seeds", type=int, default=3, help="models to train, a seed each")
    options.add_argument("--set", type=setting, action="append", default=[], metavar="NAME=NUMBER")
    budget = options.add_mutually_exclusive_group()
    budget.add_argument("--seconds", type=float, default=30, help="of training each")
    budget.add_argument("--steps", type=int, help="of training each, in place of seconds")
    arguments = options.parse_args()
    limit = (
        {"max_steps": arguments.steps} if arguments.steps else {"max_seconds": arguments.seconds}
    )
    with tempfile.TemporaryDirectory() as folder:
        if arguments.sounds is None:
            make_demo_corpus(Path(folder))
        corpus = AudioCorpus.scan(arguments.sounds or folder, progress=False)
        rows = [
            row(corpus, seed, {**limit, **dict(arguments.set)}) for seed in range(arguments.seeds)
        ]
    where = arguments.sounds.name if arguments.sounds else "the demo corpus"
    how = " ".join(f"{name}={value:g}" for name, value in arguments.set) or "default settings"
    report(f"Active latent units of a VAE with {how} on {where}", rows, arguments.json)
    sys.exit(any(found["verdict"] != HEALTHY for found in rows))


if __name__ == "__main__":
    main()
