"""The families side by side on the same sounds, after the same time or steps of training on a CPU.

    python benchmarks/families.py                 # 60 s each, on the shared recordings
    python benchmarks/families.py --steps 1000    # as many steps each, however long they take
    python benchmarks/families.py --seconds 15 --data spoken_digits

Seconds say what a person gets on this machine; steps what a model learns from as many batches, on
any machine, also on one that does something else meanwhile.
Every fifth file is held out; distances are those of quality.py, end to end through the vocoder,
whose own are the last row: what no model could beat. Codes have a bit rate; latents are no bits, so
they have none. The bottleneck is how much of it was used when it was last validated: the share of
entries of each level, or the active units.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from common import held_out_split, parser, recordings, report
from quality import RATE, distances, floor, held_out_sounds, means

from distill import AudioCorpus, LoadedModel, LoadedVQModel
from distill.config import TrainingConfig
from distill.family import family
from distill.training import TrainingResult, train

FAMILIES = ("vae", "vqvae")


def judge(model: LoadedModel[Any], sounds: list[torch.Tensor]) -> dict[str, Any]:
    """Distances, and seconds to encode and decode a minute of sound."""
    rows, seconds = [], [0.0, 0.0]
    for sound in sounds:
        began = time.perf_counter()
        encoded = model.encode(sound, RATE)
        between = time.perf_counter()
        made, _ = model.decode(encoded)
        seconds[0] += between - began
        seconds[1] += time.perf_counter() - between
        rows.append(distances(sound, made))
    minutes = sum(map(len, sounds)) / RATE / 60
    names = "two-scale mel", "mel", "STFT"
    speed = {"encode s/min": seconds[0] / minutes, "decode s/min": seconds[1] / minutes}
    return {**dict(zip(names, means(rows), strict=True)), **speed}


def row(name: str, result: TrainingResult, sounds: list[torch.Tensor]) -> dict[str, Any]:
    model = result.load()
    is_coded = isinstance(model, LoadedVQModel)
    return {
        "family": name,
        "train s": round(result.elapsed_s),
        "steps": result.steps,
        "M numbers": model.parameters / 1e6,
        "MB": result.model_path.stat().st_size / 1e6,
        "kbit/s": f"{model.config.bits_per_second / 1000:.2f}" if is_coded else "",
        "bottleneck": _used(model),
        **judge(model, sounds),
    }


def _used(model: LoadedModel[Any]) -> str:
    if isinstance(model, LoadedVQModel):
        return " ".join(f"{100 * level.corrected_utilization:.0f} %" for level in model.health)
    return " ".join(f"{health.active_units} of {health.units}" for health in model.health)


def main() -> None:
    options = parser(__doc__ or "")
    budget = options.add_mutually_exclusive_group()
    budget.add_argument("--seconds", type=float, default=60, help="of training each")
    budget.add_argument("--steps", type=int, help="of training each, in place of seconds")
    options.add_argument("--data", default="sonic_pi", help="which of the shared recordings")
    arguments = options.parse_args()
    limit = (
        {"max_steps": arguments.steps} if arguments.steps else {"max_seconds": arguments.seconds}
    )
    to_train, to_judge = held_out_split(recordings(arguments.data))
    corpus, sounds = AudioCorpus.scan(to_train), held_out_sounds(to_judge)
    rows: list[dict[str, Any]] = []
    for name in FAMILIES:
        config: TrainingConfig = family(name).adaptive_config(
            len(corpus), corpus.seconds, **limit, preview_every_epochs=0
        )
        with tempfile.TemporaryDirectory() as folder:
            result = train(config, corpus, Path(folder) / "run", "cpu")
            rows.append(row(family(name).title, result, sounds))
            least = floor(result.load(), sounds)
    nothing = dict.fromkeys(rows[0], "")
    rows.append({**nothing, "family": "vocoder alone", **least})
    report("Families side by side on held-out recordings", rows, arguments.json)


if __name__ == "__main__":
    main()
