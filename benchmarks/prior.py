"""A prior over codes against counting: bits a step on recordings that neither model nor prior knew.

python benchmarks/prior.py
python benchmarks/prior.py --steps 500 2000 6000 --codec-steps 600
python benchmarks/prior.py --steps 800 --samples 10   # also what the last prior's sounds are like

The codec learns the other recordings only (3 levels of 256 entries; `--stride 4 --levels 6` is the
default of a training, with steps twice as long); the prior's own split holds out a tenth of those
to stop by, and is judged here on every fifth recording, which nobody saw.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from common import held_out_split, parser, recordings, report
from prior_samples import SECONDS, join_rows, sample_rows

from distill import (
    AudioCorpus,
    LoadedVQModel,
    get_adaptive_prior_config,
    get_adaptive_vqvae_config,
    load_model_v2,
    train_prior,
    train_vqvae,
)
from distill.config import MOST_COPIES
from distill.models.prior.corpus import coded
from distill.models.prior.counts import CodeCounts, uniform_bits
from distill.models.prior.sounds import CodedSound
from distill.models.prior.trained import TrainedPrior
from distill.training.tasks.code_windows import whole_codes


def bits_of_prior(prior: TrainedPrior, sounds: tuple[CodedSound, ...]) -> list[float]:
    """Bits a step, level by level."""
    sums = torch.zeros(prior.config.levels, dtype=torch.float64)
    grids = [sound.codes for sound in sounds]
    with torch.no_grad():
        for codes, _ in whole_codes(grids, piece_steps=1 << 20, batch_steps=8192):
            logits, _ = prior.module(codes)
            for level, of_level in enumerate(logits):
                target = codes[:, 1:, level]
                chosen = of_level.log_softmax(-1).gather(-1, target.clamp(min=0)[..., None])
                sums[level] -= chosen[..., 0][target >= 0].double().sum()
    return (sums / sum(map(len, grids)) / torch.log(torch.tensor(2.0))).tolist()


def row(name: str, bits: list[float], took_s: float, steps: int = 0) -> dict[str, Any]:
    """A line of the table."""
    levels = {f"level {level}": value for level, value in enumerate(bits, 1)}
    return {"what": name, "steps": steps, **levels, "bits a step": sum(bits), "s": took_s}


def counted(codec: LoadedVQModel, train: Any, test: Any) -> list[dict[str, Any]]:
    """Rows of what needs no learning."""
    levels, entries = codec.shape
    rows = [row("evenly", [uniform_bits(entries)] * levels, 0.0)]
    own = [sound.codes for sound in train]
    copies = [grid for sound in train for grid in sound.grids]
    for grids, beside in ((own, ""), (copies, ", with copies")):
        counts = CodeCounts.of(grids, levels, entries)
        bits = torch.stack([torch.stack(counts.bits(sound.codes)) for sound in test]).sum(dim=0)
        singles, pairs = (bits / sum(sound.steps for sound in test)).tolist()
        rows += [row(f"single codes{beside}", singles, 0.0), row(f"pairs{beside}", pairs, 0.0)]
    return rows


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--steps", type=int, nargs="+", default=[300, 1000, 3000])
    options.add_argument("--codec", type=Path, help="a model that knows none of the held-out ones")
    options.add_argument("--codec-steps", type=int, default=200, help="to train one, from the base")
    options.add_argument("--stride", type=int, default=2, help="of that one")
    options.add_argument("--levels", type=int, default=3, help="of that one")
    options.add_argument("--samples", type=int, default=0, help="so many of 30 s, of each setting")
    options.add_argument("--device", default="cpu")
    arguments = options.parse_args()
    train, test = held_out_split(recordings())
    corpus = AudioCorpus.scan(train, progress=False)
    held_out = AudioCorpus.scan(test, progress=False)
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.codec
        if path is None:
            config = get_adaptive_vqvae_config(
                len(corpus), corpus.seconds, stride=arguments.stride, levels=arguments.levels,
                codebook_size=256, max_steps=arguments.codec_steps, preview_every_epochs=0,
            )  # fmt: skip
            run = Path(folder) / "codec"
            path = train_vqvae(config, corpus, run, arguments.device).model_path
        codec = load_model_v2(path)
        names = [file.path.name for file in held_out.files]
        judged = coded(codec, held_out.waveforms, names, 0)
        known = coded(
            codec, corpus.waveforms, [file.path.name for file in corpus.files], MOST_COPIES
        )
        rows = counted(codec, known, judged)
        for steps in arguments.steps:
            settings = get_adaptive_prior_config(
                codec.config, len(corpus), max_steps=steps, preview_every_epochs=0
            )
            began = time.perf_counter()
            result = train_prior(
                codec, corpus, Path(folder) / f"prior-{steps}", settings, arguments.device
            )
            took_s = time.perf_counter() - began
            model = result.load()
            rows.append(row("prior", bits_of_prior(model.prior, judged), took_s, steps))
        began = time.perf_counter()
        model.generate(30.0, seed=0)
        speed = 30.0 / (time.perf_counter() - began)
    steps_of = sum(sound.steps for sound in judged)
    report(
        f"sonic_pi: {steps_of} held-out steps of {codec.shape[0]} × {codec.shape[1]}; generates "
        f"{speed:.1f} x real time",
        rows,
        arguments.json,
    )
    if arguments.samples:
        made = sample_rows(model, judged, arguments.samples)
        report(f"{arguments.samples} samples of {SECONDS:g} s of each setting", made)
        report("joins, in bits a step of the half second behind them", join_rows(model, judged))


if __name__ == "__main__":
    main()
