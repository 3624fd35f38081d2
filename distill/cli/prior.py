"""What `distill train-prior` does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from distill.audio.corpus import AudioCorpus
from distill.cli.boundary import echo, echo_json
from distill.cli.info import health_lines
from distill.cli.live import TrainingDisplay
from distill.cli.prior_run import STOPPING, result_of_earlier
from distill.config import PriorConfig, get_adaptive_prior_config
from distill.config.conditions import CLASS, checked_conditions
from distill.config.start import BASE
from distill.models.prior.health import PriorHealth
from distill.models.prior.placing import check_place, put_prior
from distill.models.use.loaded import LoadedVQModel
from distill.names import path_to_text, printable
from distill.training.engine.memory import keep_freed_memory
from distill.training.prior import opened_codec, prior_config_for, train_prior
from distill.training.run.folder import RunFolder
from distill.training.run.sounds_inside import refuse_sounds_inside
from distill.training.run.start import RunStart, check_start_of_prior
from distill.training.session.result import TrainingResult
from distill.training.session.signals import stopped_by_signals
from distill.words import duration, why_ended


def train_prior_command(
    model: Path,
    folder: Path,
    out: Path | None,
    overrides: dict[str, Any],
    *,
    start: str | None = None,
    device: str,
    overwrite: bool,
    as_json: bool,
) -> TrainingResult:
    """Scans, trains, puts the prior into the model's file, reports.

    Where an earlier run of the same is there, that one is resumed, or what it has learned taken.

    Args:
        model: a `.distill` file.
        folder: of the sounds.
        out: the run folder; default beside the model.
        overrides: settings in place of those that fit the sounds.
        start: see `train_prior`.
        device: where.
        overwrite: replace an earlier run.
        as_json: report for a script.

    Raises:
        DistillError: see `train_prior`.
    """
    run = out or beside(model, "prior")
    codec = opened_codec(model)
    check_place(model)
    check_start_of_prior(start)
    get_adaptive_prior_config(codec.config, 1, **overrides)  # what is wrong is said before a scan
    refuse_sounds_inside(run, [folder])
    keep_freed_memory()
    result = None
    if not overwrite:
        result = result_of_earlier(run, codec, folder, overrides, start, as_json=as_json)
    result = result or _train(
        codec, folder, run, overrides, start, device=device, overwrite=overwrite, as_json=as_json
    )
    put_prior(model, result.model_path)
    (echo_json if as_json else echo)(_said(result, model, as_json))
    return result


def _train(
    codec: LoadedVQModel,
    folder: Path,
    run: Path,
    overrides: dict[str, Any],
    start: str | None,
    *,
    device: str,
    overwrite: bool,
    as_json: bool,
) -> TrainingResult:
    RunFolder(run).check_free(overwrite=overwrite)
    corpus = AudioCorpus.scan(folder, sample_rate=codec.sample_rate, progress=not as_json)
    config = prior_config_for(codec, corpus, start=start, **overrides)
    begins_with = RunStart.of_prior(start, codec, config)
    if not as_json:
        echo(str(corpus))
        echo(
            f"Training: a prior over the codes of {printable(codec.name)}, "
            f"{config.bits_per_step:.1f} bits a step{_told(config)}, from "
            f"{'the base' if begins_with.model == BASE else 'nothing'}; Ctrl-C stops and keeps it"
        )
    with stopped_by_signals(STOPPING) as cancel, TrainingDisplay(quiet=as_json) as display:
        return train_prior(
            codec, corpus, run, config, device, display.update, cancel,
            overwrite=overwrite, start=start,
        )  # fmt: skip


def _told(config: PriorConfig) -> str:
    if not config.conditions:
        return ""
    kinds = f" ({', '.join(map(printable, config.classes))})" if config.classes else ""
    return ", told of " + ", ".join(
        name + kinds if name == CLASS else name for name in config.conditions
    )


def conditions_of(text: str) -> tuple[str, ...]:
    """Names of conditions, as they are typed: with commas between them, or `none`.

    Raises:
        ConfigError: other names.
    """
    return () if text.strip() == "none" else checked_conditions(text.replace(" ", "").split(","))


def beside(model: Path, what: str) -> Path:
    """A folder beside a model, named after it."""
    return model.with_name(f"{model.stem}-{what}")


def _said(result: TrainingResult, model: Path, as_json: bool) -> str:
    best = result.history.best
    bits = best.val_parts["codes"] if best else None
    if as_json:
        values = {
            "model": path_to_text(model),
            "run": path_to_text(result.model_path.parent),
            "reason": result.reason,
            "steps": result.steps,
            "seconds": result.elapsed_s,
            "bits_per_step": bits,
            "warnings": [warning.message for warning in result.history.warnings],
        }
        return msgspec.json.format(msgspec.json.encode(values)).decode()
    lines = [
        f"Trained {result.steps} steps in {duration(result.elapsed_s)} ({why_ended(result.reason)})"
    ]
    if best:
        lines.append(f"  best epoch {best.epoch + 1}: {bits:.2f} bits a step of held-out sounds")
        lines += health_lines(best.health)
        even = sum(row.uniform for row in best.health if isinstance(row, PriorHealth))
        if bits is not None and bits >= even > 0:
            lines.append(
                f"  no better than guessing ({even:.1f} bits): train for longer, or on more sounds"
            )
    lines.append(f"Model: {printable(model)} makes new sounds now: distill generate")
    return "\n".join(lines)
