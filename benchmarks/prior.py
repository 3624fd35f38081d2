"""A prior over codes against counting: bits a step on recordings that neither model nor prior knew.

python benchmarks/prior.py
python benchmarks/prior.py --steps 500 2000 6000 --codec-steps 600
python benchmarks/prior.py --steps 800 --samples 10   # also what the last prior's sounds are like
python benchmarks/prior.py --steps 300 --conditions   # also a prior that is told of sounds
python benchmarks/prior.py --steps 300 --from-nothing # also one that does not start from the base
python benchmarks/prior.py --data spoken_digits       # or demo

The codec learns the other recordings only (3 levels of 256 entries; `--stride 4 --levels 6` is the
default of a training, with steps twice as long), sorted into folders by the first word of their
names; the prior's own split holds out a tenth of those
to stop by, and is judged here on every fifth recording, which nobody saw.
"""

from __future__ import annotations

import math
import re
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from common import held_out_split, parser, recordings, report, save
from count_mix import CountMix
from prior_samples import SECONDS, join_rows, sample_rows

from distill import (
    AudioCorpus,
    LoadedVQModel,
    get_adaptive_prior_config,
    get_adaptive_vqvae_config,
    load_model_v2,
    make_demo_corpus,
    train_prior,
    train_vqvae,
)
from distill.audio.spectrogram import LogMel
from distill.config import MOST_COPIES
from distill.config.conditions import ALL_CONDITIONS, CONDITIONS, condition_sizes
from distill.config.start import BASE, NOTHING as NO_MODEL
from distill.models.prior.brightness import step_brightness
from distill.models.prior.conditions import (
    contour,
    learned_conditions,
    step_powers,
    with_conditions,
)
from distill.models.prior.corpus import coded
from distill.models.prior.counts import CodeCounts, uniform_bits
from distill.models.prior.model import NOTHING
from distill.models.prior.sounds import CodedSound
from distill.models.prior.trained import TrainedPrior
from distill.training.prior import prior_config_for

_ASKED_DB = ([-10.0, 0.0, -40.0], [-40.0, 0.0, -40.0])
_ASKED_HZ = ([500.0, 4000.0], [4000.0, 500.0])


def bits_of_prior(
    prior: TrainedPrior, sounds: Sequence[CodedSound], told: Sequence[str] = ()
) -> list[float]:
    """Bits a step, level by level, where the prior is told some conditions."""
    sums, config = torch.zeros(prior.config.levels, dtype=torch.float64), prior.config
    conditions = learned_conditions(config, sounds)
    columns = [
        name for name in config.conditions for _ in condition_sizes((name,), len(config.classes))
    ]
    is_told = torch.tensor([name in told for name in columns], dtype=torch.int64)
    with torch.no_grad():
        for n, sound in enumerate(sounds):
            codes = F.pad(sound.codes.long(), (0, 0, 1, 0), value=NOTHING)[None]
            known = conditions[n][None, : sound.steps] * is_told if conditions else None
            logits, _ = prior.module(codes, known)
            for level, of_level in enumerate(logits):
                target = codes[:, 1:, level].flatten()
                sums[level] += F.cross_entropy(of_level[0], target, reduction="sum").double()
    return (sums / sum(sound.steps for sound in sounds) / math.log(2)).tolist()


def sorted_into(folder: Path, paths: Sequence[Path]) -> Path:
    """Copies of recordings in folders named by the first word of their names."""
    for path in paths:
        kind = folder / re.split("[_-]", path.name)[0]
        kind.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, kind)
    return folder


def told_rows(
    codec: LoadedVQModel, corpus: AudioCorpus, steps: int, run: Path, device: str, test: Any
) -> list[dict[str, Any]]:
    """Rows of a prior with every condition, told none, each, the usual ones, and all of them."""
    settings = prior_config_for(
        codec, corpus, conditions=ALL_CONDITIONS, max_steps=steps, preview_every_epochs=0
    )
    began = time.perf_counter()
    model = train_prior(codec, corpus, run, settings, device).load()
    took_s, (judged, waveforms, groups) = time.perf_counter() - began, test
    sounds = with_conditions(model.prior.config, judged, waveforms, groups)
    rows = [
        row(f"prior told {' '.join(told) or 'nothing'}", bits_of_prior(model.prior, sounds, told),
            took_s, steps)
        for told in ((), *((name,) for name in ALL_CONDITIONS), CONDITIONS, ALL_CONDITIONS)
    ]  # fmt: skip
    for asked in _ASKED_DB:
        print(f"loudness asked for, {asked} dB, and made correlate by {followed(model, asked):.2f}")
    for hz in _ASKED_HZ:
        print(f"brightness asked for, {hz} Hz, and made correlate by {as_bright(model, hz):.2f}")
    return rows


def as_bright(model: LoadedVQModel, asked_hz: Sequence[float], count: int = 10) -> float:
    """How the brightness of new sounds, in octaves, follows what was asked for."""
    asked, made = [], []
    octaves = torch.tensor(asked_hz).log2()[None, None]
    for seed in range(count):
        codes = model.generate(3.0, seed=seed, brightness=asked_hz)
        sound = model.decode(codes)[0].cpu()
        hz = step_brightness(
            LogMel(model.config.spectrogram), sound, model.config.stride, codes.steps
        )
        wanted = F.interpolate(octaves, codes.steps, mode="linear", align_corners=True)[0, 0]
        asked.append(wanted[~hz.isnan()])
        made.append(hz[~hz.isnan()].log2())
    return float(torch.corrcoef(torch.stack([torch.cat(asked), torch.cat(made)]))[0, 1])


def followed(model: LoadedVQModel, asked_db: Sequence[float], count: int = 10) -> float:
    """How the loudness of new sounds follows what was asked for."""
    asked, made = [], []
    for seed in range(count):
        codes = model.generate(3.0, seed=seed, loudness=asked_db)
        size = round(codes.step_seconds * codes.sample_rate)
        powers = step_powers(model.decode(codes)[0], size, codes.steps)
        made.append(contour(powers, 1.0).clamp(min=-60.0))
        levels = torch.tensor(asked_db)[None, None]
        asked.append(F.interpolate(levels, codes.steps, mode="linear", align_corners=True)[0, 0])
    return float(torch.corrcoef(torch.stack([torch.cat(asked), torch.cat(made)]))[0, 1])


def row(name: str, bits: list[float], took_s: float, steps: int = 0) -> dict[str, Any]:
    """A line of the table."""
    levels = {f"level {level}": value for level, value in enumerate(bits, 1)}
    return {"what": name, "steps": steps, **levels, "bits a step": sum(bits), "s": took_s}


def figure(of: dict[str, Any]) -> str:
    """What pages call the bits of a row: `pairs_with_copies`, `prior_300`."""
    return re.sub(r"\W+", "_", f"{of['what']} {of['steps'] or ''}".strip())


def named_figures(rows: Sequence[dict[str, Any]], names: str) -> dict[str, float]:
    """What pages call the other columns of rows: `copies_novelty_1`, `kernel_distance_held_out`."""
    return {
        re.sub(r"\W+", "_", f"{column} {of[names]}").strip("_"): float(value)
        for of in rows
        for column, value in of.items()
        if column != names and not math.isnan(value)
    }


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
    fitted = train[::10]
    counts_of = [grid for sound in train if sound not in fitted for grid in sound.grids]
    mix = CountMix.of(counts_of, [sound.codes for sound in fitted], levels, entries)
    return [*rows, row("counts mixed, with copies", mix.bits([s.codes for s in test]), 0.0)]


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--steps", type=int, nargs="+", default=[300, 1000, 3000])
    options.add_argument("--codec", type=Path, help="a model that knows none of the held-out ones")
    options.add_argument("--codec-steps", type=int, default=200, help="to train one, from the base")
    options.add_argument("--stride", type=int, default=2, help="of that one")
    options.add_argument("--levels", type=int, default=3, help="of that one")
    options.add_argument("--samples", type=int, default=0, help="so many of 30 s, of each setting")
    options.add_argument("--conditions", action="store_true", help="also one that is told of them")
    options.add_argument(
        "--from-nothing", action="store_true", help="also priors from random numbers"
    )
    options.add_argument("--data", default="sonic_pi", help="or spoken_digits, or demo")
    options.add_argument("--device", default="cpu")
    arguments = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        is_made = arguments.data == "demo"
        made = Path(folder) / "made"
        paths = make_demo_corpus(made) if is_made else recordings(arguments.data)
        train, test = held_out_split(paths)
        corpus, held_out = (
            AudioCorpus.scan(sorted_into(Path(folder) / name, paths), progress=False)
            for name, paths in (("learned", train), ("judged", test))
        )
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
                codec.config, len(corpus), max_steps=steps, preview_every_epochs=0, conditions=()
            )
            for start in (NO_MODEL, BASE) if arguments.from_nothing else (BASE,):
                began = time.perf_counter()
                run = Path(folder) / f"prior-{steps}-{start}"
                model = train_prior(
                    codec, corpus, run, settings, arguments.device, start=start
                ).load()
                took_s = time.perf_counter() - began
                what = "prior" if start == BASE else "prior from nothing"
                rows.append(row(what, bits_of_prior(model.prior, judged), took_s, steps))
            if arguments.conditions:
                groups = [file.group for file in held_out.files]
                run = Path(folder) / f"told-{steps}"
                known_of = judged, held_out.waveforms, groups
                rows += told_rows(codec, corpus, steps, run, arguments.device, known_of)
        began = time.perf_counter()
        model.generate(30.0, seed=0)
        speed = 30.0 / (time.perf_counter() - began)
    steps_of = sum(sound.steps for sound in judged)
    report(
        f"{arguments.data}: {steps_of} held-out steps of {codec.shape[0]} × {codec.shape[1]}; "
        f"generates {speed:.1f} x real time",
        rows,
        arguments.json,
    )
    figures = {"generates_x": speed} | {figure(of): of["bits a step"] for of in rows}
    if arguments.samples:
        made = sample_rows(model, judged, arguments.samples)
        report(f"{arguments.samples} samples of {SECONDS:g} s of each setting", made)
        if joins := join_rows(model, judged):
            report("joins, in bits a step of the half second behind them", joins)
        else:
            print("no recording is long enough for a gap of 1 s")
        figures |= named_figures(made, "sounds") | named_figures(joins, "behind a")
    save(arguments, figures)


if __name__ == "__main__":
    main()
