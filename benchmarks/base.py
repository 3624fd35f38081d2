"""What a base gives a corpus that it never heard: held-out distances by steps, with and without it.

    python benchmarks/base.py BASE.distill                        # three corpora, 0, 200, 600 steps
    python benchmarks/base.py BASE.distill --data sonic_pi --steps 600 --seeds 0 1
    python benchmarks/base.py BASE.distill --rate 5e-4 --average 0.99 --towards 3
    python benchmarks/base.py BASE.distill --steps 3000 --every 500     # does more training help?

Every fifth file is held out. A start is "none" (random weights, rate 2e-3), "base" (all of the base
but its codebooks, which k-means makes anew from the corpus, rate `--rate`) or "own" (with the
base's codebooks too). The distances are those of benchmarks/quality.py, through the vocoder;
"frames" is the mean absolute difference of log-mel frames, which needs none. Time is not counted:
steps are.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from common import held_out_split, parser, recordings, report

from distill import load_model_v2, make_demo_corpus, mel_distance, read_audio, stft_distance
from distill.audio import TWO_SCALES
from distill.audio.segments import SegmentSampler
from distill.audio.spectrogram import LogMel
from distill.audio.vocoder import GriffinLimVocoder
from distill.codebook import codebook_health, count_codes
from distill.config import VQVAEConfig
from distill.models.losses import vqvae_loss
from distill.models.vqvae.model import ConvVQVAE

RATE = 48_000
LONGEST_S, SHORTEST_S = 10.0, 0.1
FROM_NOTHING_RATE = 2e-3
Weights = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Corpus:
    """Sounds to learn from and sounds to judge by, (samples,) each, at a peak of 1."""

    name: str
    learned: list[torch.Tensor]
    held: list[torch.Tensor]


@dataclass(frozen=True)
class Way:
    """How a model is tuned."""

    steps: int
    rate: float
    average: float
    towards: float
    seed: int


def corpus(name: str) -> Corpus:
    if name == "demo":
        with tempfile.TemporaryDirectory() as folder:
            return _read(name, make_demo_corpus(folder))
    return _read(name, recordings(name))


def _read(name: str, paths: list[Path]) -> Corpus:
    learned, held = ([_sound(path) for path in part] for part in held_out_split(paths))
    held = [sound[: int(LONGEST_S * RATE)] for sound in held]
    return Corpus(name, learned, [sound for sound in held if len(sound) >= SHORTEST_S * RATE])


def _sound(path: Path) -> torch.Tensor:
    sound = read_audio(path, RATE)[0]
    return sound / sound.abs().max().clamp(min=1e-6)


def started(start: str, base: Path, seed: int) -> ConvVQVAE:
    """A model of the base's shape, as it is before the first step."""
    loaded = load_model_v2(base).model
    torch.manual_seed(seed)
    model = ConvVQVAE(loaded.config)
    if start != "none":
        weights = loaded.state_dict()
        if start == "base":
            weights = {k: v for k, v in weights.items() if not k.startswith("quantizer")}
        model.load_state_dict(weights, strict=False)
    return model.train()


def tune(model: ConvVQVAE, data: Corpus, way: Way) -> Iterator[tuple[int, Weights]]:
    """Trains; after each step the weights that would be judged (averaged, if so asked)."""
    config, log_mel = model.config, LogMel(model.config.spectrogram)
    sampler = SegmentSampler(
        data.learned,
        segment_samples=(config.segment_frames - 1) * config.spectrogram.hop_length + 511,
        batch_size=config.batch_size,
        gain_db=config.augment_gain_db,
        seed=way.seed,
    )
    model.initialise(log_mel(sampler.batch(5 * config.batch_size)))
    anchor = [parameter.detach().clone() for parameter in model.parameters()]
    mean = {name: value.clone() for name, value in model.state_dict().items()}
    optimizer = torch.optim.AdamW(model.parameters(), lr=way.rate, weight_decay=config.weight_decay)
    yield 0, mean
    for step in range(way.steps):
        rate = way.rate * min(1, (step + 1) / 50) * 0.5 * (1 + math.cos(math.pi * step / way.steps))
        for group in optimizer.param_groups:
            group["lr"] = rate
        mel = log_mel(sampler.batch())
        made, _, commitment = model(mel)
        loss, _, _ = vqvae_loss(made, mel, commitment, commitment_weight=config.commitment_weight)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), config.gradient_clip)
        optimizer.step()
        with torch.no_grad():
            for parameter, first in zip(model.parameters(), anchor, strict=True):
                parameter.lerp_(first, min(1.0, rate * way.towards))
            decay = min(way.average, step / (step + 10))
            for name, value in model.state_dict().items():
                if value.is_floating_point():
                    mean[name].lerp_(value, 1 - decay)
        yield step + 1, mean if way.average else model.state_dict()


def _with(config: VQVAEConfig, weights: Weights) -> ConvVQVAE:
    with torch.random.fork_rng(devices=[]):
        model = ConvVQVAE(config)
    model.load_state_dict(weights)
    return model.eval()


@torch.no_grad()
def judge(model: ConvVQVAE, sounds: list[torch.Tensor], *, sounded: bool) -> dict[str, Any]:
    """Distances over sounds that the model never saw, and how far the codes are used."""
    log_mel = LogMel(model.config.spectrogram)
    vocoder = GriffinLimVocoder(log_mel) if sounded else None
    rows, counts = [], torch.zeros(model.codebook_shape, dtype=torch.int64)
    for sound in sounds:
        mel = log_mel(sound)
        made, codes, _ = model(mel[None])
        counts = counts + count_codes(codes[0], model.config.codebook_size)
        row = [float((made[0] - mel).abs().mean())]
        rows.append(row + (distances(sound, vocoder(made[0], len(sound))) if vocoder else []))
    names = ["frames", "two-scale mel", "mel", "STFT"][: len(rows[0])]
    means = dict(zip(names, torch.tensor(rows).mean(0).tolist(), strict=True))
    bits = math.log2(model.config.codebook_size)
    used = [level.entropy_bits / bits for level in codebook_health(counts)]
    return {
        **{name: means.get(name, "") for name in ("frames", "two-scale mel", "mel", "STFT")},
        "entropy / bits": " ".join(f"{share:.2f}" for share in used),
    }


def distances(sound: torch.Tensor, made: torch.Tensor) -> list[float]:
    return [
        mel_distance(sound, made, RATE, TWO_SCALES),
        mel_distance(sound, made, RATE),
        stft_distance(sound, made),
    ]


def floor(base: Path, sounds: list[torch.Tensor]) -> dict[str, Any]:
    """The true frames through the same vocoder."""
    log_mel = LogMel(load_model_v2(base).model.config.spectrogram)
    vocoder = GriffinLimVocoder(log_mel)
    rows = [distances(sound, vocoder(log_mel(sound), len(sound))) for sound in sounds]
    means = torch.tensor(rows).mean(0).tolist()
    names = ("two-scale mel", "mel", "STFT")
    return {"frames": 0.0, **dict(zip(names, means, strict=True)), "entropy / bits": ""}


def measured(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """The rows of the table, one after another."""
    for name in arguments.data:
        data = corpus(name)
        blank = {"steps": 0, "seed": ""}
        yield {"corpus": name, "start": "floor", **blank, **floor(arguments.base, data.held)}
        for seed in arguments.seeds:
            for start in arguments.starts:
                yield from _runs(data, start, seed, arguments)


def _runs(
    data: Corpus, start: str, seed: int, arguments: argparse.Namespace
) -> Iterator[dict[str, Any]]:
    rate = FROM_NOTHING_RATE if start == "none" else arguments.rate
    longest = max(arguments.steps)
    for steps in sorted(arguments.steps):
        if steps == 0 and longest:
            continue  # is the beginning of the longest
        model = started(start, arguments.base, seed)
        way = Way(steps, rate, arguments.average, arguments.towards, seed)
        for done, weights in tune(model, data, way):
            first = done == 0 and steps == longest and 0 in arguments.steps
            last, between = (
                done == steps,
                bool(arguments.every) and done and done % arguments.every == 0,
            )
            if first or last or between:
                row = judge(_with(model.config, weights), data.held, sounded=first or last)
                yield {"corpus": data.name, "start": start, "steps": done, "seed": seed, **row}


def main() -> None:
    options = parser(__doc__ or "")
    options.formatter_class = argparse.RawDescriptionHelpFormatter
    options.add_argument("base", type=Path)
    options.add_argument("--data", nargs="+", default=["sonic_pi", "spoken_digits", "demo"])
    options.add_argument("--starts", nargs="+", default=["none", "base"])
    options.add_argument("--steps", type=int, nargs="+", default=[0, 200, 600])
    options.add_argument("--seeds", type=int, nargs="+", default=[0])
    options.add_argument("--rate", type=float, default=1e-3, help="peak, from a base")
    options.add_argument("--average", type=float, default=0.0, help="decay of averaged weights")
    options.add_argument("--towards", type=float, default=0.0, help="decay towards the start")
    options.add_argument("--every", type=int, default=0, help="also the frames, each so many steps")
    arguments = options.parse_args()
    torch.set_num_threads(1)
    rows = []
    for row in measured(arguments):
        rows.append(row)
        print(row, flush=True)
    report(f"From {arguments.base.name}", rows, arguments.json)


if __name__ == "__main__":
    main()
