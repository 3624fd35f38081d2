"""Material, training, file, report: one after the other, each resumed where it was left."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import soundfile
import torch
from torch import Tensor
from tqdm import tqdm

from distill.config import VQVAEConfig
from distill.models.use.loading import load_model_v2
from tools.base.learning import Learner, TrainingPlan, train
from tools.base.licences import SOURCES
from tools.base.material import Clip, describe, make_material, plan
from tools.base.pack import pack
from tools.base.report import write_report

_HELD_EVERY = 40


def missing_sources(clips: Sequence[Clip]) -> list[str]:
    """What stands in the way of making these clips here, in words."""
    found = [SOURCES[name].problem() for name in sorted({clip.kind.source for clip in clips})]
    return [problem for problem in found if problem]


def check_sources(clips: Sequence[Clip]) -> None:
    """Refuses what cannot be made here.

    Raises:
        ValueError: sources are missing; says which, and where they come from.
    """
    if problems := missing_sources(clips):
        raise ValueError("\n".join(problems))


def make_base(
    folder: Path,
    *,
    seconds: float,
    config: VQVAEConfig,
    training: TrainingPlan,
    clip_s: float = 10.0,
) -> Path:
    """Makes everything that is not there yet.

    Args:
        folder: of the material, the checkpoint, the report and `base-STEPS.distill`.
        seconds: of material.
        config: of the model.
        training: how it learns.
        clip_s: length of a clip.

    Returns:
        The `.distill` file.

    Raises:
        ValueError: a source is missing, or the folder holds a training with other options.
    """
    clips = plan(seconds, training.seed, clip_s)
    sounds_in = make_sounds(folder, clips)
    learner = make_learner(sounds_in, clips, config, training)
    watch(train(learner, folder), "training", total=training.steps)
    return finish(folder, learner, clips)


def make_sounds(folder: Path, clips: list[Clip]) -> Path:
    """Makes the clips that are not there yet, and gives their folder.

    Raises:
        ValueError: a source is missing.
    """
    check_sources(clips)
    sounds_in = folder / "material"
    watch(make_material(sounds_in, clips), "material", total=len(clips))
    return sounds_in


def make_learner(
    sounds_in: Path, clips: Sequence[Clip], config: VQVAEConfig, training: TrainingPlan
) -> Learner:
    """A learner over these clips; a few of every kind are kept to judge by."""
    sounds = [_read(sounds_in / clip.file_name) for clip in clips]
    held = [s for i, s in enumerate(sounds) if i % _HELD_EVERY == _HELD_EVERY // 2]
    learned = [s for i, s in enumerate(sounds) if i % _HELD_EVERY != _HELD_EVERY // 2]
    return Learner(config, training, learned, held or learned[:1])


def finish(folder: Path, learner: Learner, clips: list[Clip]) -> Path:
    """Writes the file and the report of a training as it stands."""
    record: dict[str, Any] = {
        "made_by": "python -m tools.base",
        "material": describe(clips),
        "plan": asdict(learner.plan),
        "step": learner.step,
        "config": learner.config.to_dict(),
        "curve": learner.curve,
    }
    path = folder / f"base-{learner.step}.distill"
    exists = path.exists()  # the same command, run again: it would make the same file
    record["digest"] = (
        load_model_v2(path).digest if exists else pack(path, learner.to_ship(), record)
    )
    record["file_bytes"] = path.stat().st_size
    write_report(folder, record)
    return path


def _read(path: Path) -> Tensor:
    return torch.from_numpy(soundfile.read(path, dtype="int16")[0])


def watch(steps: Iterable[int | tuple[int, float]], name: str, *, total: int) -> None:
    """Has steps done, with a bar: the number of each, or also its loss."""
    # Where nobody looks, in a log, a line a minute is enough.
    interval = 0.5 if sys.stderr.isatty() else 60.0
    with tqdm(total=total, desc=name, mininterval=interval, maxinterval=2 * interval) as bar:
        for step in steps:
            done, loss = step if isinstance(step, tuple) else (step, None)
            if loss is not None:
                bar.set_postfix_str(f"loss {loss:.3f}", refresh=False)
            bar.update(done - bar.n)
