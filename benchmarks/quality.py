"""Quality on real recordings the model never saw, after some time of training on a CPU.

    python benchmarks/quality.py                  # 15, 60, 120 and 300 s
    python benchmarks/quality.py --seconds 15     # one of them
    python benchmarks/quality.py --steps 0 200 700 3500
    python benchmarks/quality.py --steps 0 700 --start base
    python benchmarks/quality.py --steps 200 --set stride=2 levels=3   # as many bits, three levels
    python benchmarks/quality.py --seconds 60 --set codebook_decay=0.99
    python benchmarks/quality.py --seconds 300 --preset fine
    python benchmarks/quality.py --data demo --set seed=1
    python benchmarks/quality.py --steps 0 200 --few 12  # of twelve of the recordings
    python benchmarks/quality.py --steps 0 200 --few 12 --no-background  # codebooks of these alone
    python benchmarks/quality.py --steps 200 --levels 1 2 3 --set quantizer_dropout=0.5
    python benchmarks/quality.py --steps 0 --refinements 0 8   # the encoder's codes first
    python benchmarks/quality.py --steps 200 --visqol          # also as an ear, see ear.py

Steps mean the same on every machine. After 0 steps there are codebooks, made by k-means from the
recordings and from what comes with the base beside them, between the encoder and the decoder that
the training would start with.
Every fifth file of the recordings is held out. The distances are those of the neural-codec
papers (see distill/audio/distance.py), end to end through the vocoder; "floor" is the same with the
true log-mel through the same vocoder: what no model could beat.
"""

from __future__ import annotations

import argparse
import ast
import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from common import held_out_split, parser, recordings, report, save
from ear import RATE, Ear, visqol

from distill import (
    AudioCorpus,
    VQVAEConfig,
    get_adaptive_vqvae_config,
    make_demo_corpus,
    mel_distance,
    read_audio,
    stft_distance,
    train_vqvae,
)
from distill.audio import TWO_SCALES
from distill.codebook import codebook_health, count_codes
from distill.config.start import DEFAULT_START
from distill.models import LoadedVQModel, start as start_module
from distill.training.engine.fabric import make_fabric
from distill.training.run.start import RunStart
from distill.training.tasks.vqvae import VQVAETask

QUOTED = {"two": "two-scale mel", "mel": "mel", "stft": "STFT", "visqol": "ViSQOL"}
"""What pages quote, by its name there."""


def held_out_sounds(paths: list[Path]) -> list[torch.Tensor]:
    """(samples,) each, at a peak of 1, so that every file weighs the same."""
    sounds = [read_audio(path, RATE)[0] for path in paths]
    return [sound / sound.abs().max() for sound in sounds]


def distances(reference: torch.Tensor, estimate: torch.Tensor) -> list[float]:
    return [
        mel_distance(reference, estimate, RATE, TWO_SCALES),
        mel_distance(reference, estimate, RATE),
        stft_distance(reference, estimate),
    ]


def means(rows: list[list[float]]) -> list[float]:
    return torch.tensor(rows).mean(dim=0).tolist()


def judge(
    model: LoadedVQModel, sounds: list[torch.Tensor], levels: int, ear: Ear | None = None
) -> dict[str, Any]:
    """Distances, rates and health over sounds the model never saw, by its first levels."""
    rows, counts, pairs = [], None, []
    for sound in sounds:
        codes = model.encode(sound, RATE, levels=levels)
        made, _ = model.decode(codes)
        rows.append(distances(sound, made))
        pairs.append((sound, made))
        counted = count_codes(codes.indices, codes.codebook_size)
        counts = counted if counts is None else counts + counted
    health = codebook_health(counts)
    two, seven, stft = means(rows)
    config = model.config
    return {
        "two-scale mel": two,
        "mel": seven,
        "STFT": stft,
        **_heard(pairs, ear),
        "bit/s": round(config.bits_per_second_of(levels)),
        "entropy bit/s": round(sum(level.entropy_bits for level in health) * config.step_rate_hz),
        "entropy / bits": " ".join(f"{level.entropy_share:.2f}" for level in health),
        "used %": " ".join(f"{100 * level.utilization:.0f}" for level in health),
    }


def floor(
    model: LoadedVQModel, sounds: list[torch.Tensor], ear: Ear | None = None
) -> dict[str, float]:
    """What the vocoder leaves of the true frames."""
    pairs = [(sound, model.vocoder(model.spectrogram(sound), len(sound))) for sound in sounds]
    two, seven, stft = means([distances(*pair) for pair in pairs])
    return {"two-scale mel": two, "mel": seven, "STFT": stft, **_heard(pairs, ear)}


def _heard(pairs: list[tuple[torch.Tensor, torch.Tensor]], ear: Ear | None) -> dict[str, float]:
    return {} if ear is None else {"ViSQOL": ear(pairs)}


def untrained(config: VQVAEConfig, corpus: AudioCorpus, start: RunStart) -> LoadedVQModel:
    """What a training begins with: weights from its start, codebooks from the recordings."""
    torch.manual_seed(config.seed)
    task = VQVAETask(config)
    start.apply(task.module)
    task.setup(make_fabric(torch.device("cpu")), corpus.split(config.validation_fraction))
    task.prepare()
    return LoadedVQModel(task.module.eval())


def trained(
    config: VQVAEConfig, corpus: AudioCorpus, start: str, *, learns: bool
) -> tuple[LoadedVQModel, dict[str, Any]]:
    """The model, and how long it learned."""
    began_with = RunStart.chosen(start, config)
    if began_with.remark:
        print(began_with.remark, flush=True)
    if not learns:
        return untrained(config, corpus, began_with), {"train s": 0, "steps": 0}
    with tempfile.TemporaryDirectory() as folder:
        result = train_vqvae(config, corpus, Path(folder) / "run", "cpu", start=start)
        return result.load(), {"train s": round(result.elapsed_s), "steps": result.steps}


def measured(paths: list[Path], arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """A row for each amount of training."""
    changes = {k: ast.literal_eval(v) for k, v in (item.split("=", 1) for item in arguments.set)}
    to_train, to_judge = held_out_split(paths)
    few = min(arguments.few or len(to_train), len(to_train))
    to_train = [to_train[number * len(to_train) // few] for number in range(few)]
    corpus, sounds = AudioCorpus.scan(to_train), held_out_sounds(to_judge)
    ear = visqol() if arguments.visqol else None
    name = "max_seconds" if arguments.steps is None else "max_steps"
    for amount in arguments.steps or arguments.seconds:
        budget = {name: amount or 1}  # no budget can be 0
        config = get_adaptive_vqvae_config(
            len(corpus),
            corpus.seconds,
            preset=arguments.preset,
            preview_every_epochs=0,
            **budget,
            **changes,
        )
        model, spent = trained(config, corpus, arguments.start, learns=amount > 0)
        least = floor(model, sounds, ear)
        ways = itertools.product(
            arguments.levels or [config.levels], arguments.refinements or [model.refinements]
        )
        for levels, model.refinements in ways:
            row = {"start": Path(arguments.start).name, **spent, "passes": model.refinements}
            row["levels"] = levels
            row |= judge(model, sounds, levels, ear)
            print(row, flush=True)
            yield row | {f"floor {name}": value for name, value in least.items()}


def quoted(rows: list[dict[str, Any]]) -> dict[str, float | list[float]]:
    """What pages quote, by steps, and by levels where these differ; of the floor, which is the same
    for all, that of the last.
    """
    found: dict[str, float | list[float]] = {}
    by_levels = len({row["levels"] for row in rows}) > 1
    for row in rows:
        which = f"{row['steps']}_levels_{row['levels']}" if by_levels else row["steps"]
        for name, column in QUOTED.items():
            if column in row:
                found[f"{name}_{which}"] = row[column]
                found[f"{name}_floor"] = row[f"floor {column}"]
        found[f"entropy_{which}"] = [float(one) for one in row["entropy / bits"].split()]
    return found


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--seconds", type=float, nargs="+", default=[15, 60, 120, 300])
    options.add_argument("--steps", type=int, nargs="+", help="instead of seconds")
    options.add_argument("--start", default=DEFAULT_START, help="base, none or a model's path")
    options.add_argument("--set", nargs="*", default=[], metavar="FIELD=VALUE")
    options.add_argument("--preset", choices=VQVAEConfig.presets)
    options.add_argument("--levels", type=int, nargs="+", help="judge the first so many alone")
    options.add_argument("--refinements", type=int, nargs="+", help="passes of encoding's search")
    options.add_argument("--data", default="sonic_pi", help="or spoken_digits, or demo")
    options.add_argument("--few", type=int, help="learn from so many of them, spread over all")
    options.add_argument("--no-background", action="store_true", help="codebooks of them alone")
    options.add_argument("--visqol", action="store_true", help="also as an ear would, see ear.py")
    arguments = options.parse_args()
    if arguments.no_background:
        start_module.background_of = lambda _digest: None
    with tempfile.TemporaryDirectory() as folder:
        made = arguments.data == "demo"
        paths = make_demo_corpus(folder) if made else recordings(arguments.data)
        rows = list(measured(paths, arguments))
    report("Quality on held-out recordings", rows, arguments.json)
    save(arguments, quoted(rows))


if __name__ == "__main__":
    main()
