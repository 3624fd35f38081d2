"""`distill train` and `distill demo`: a live bar, a row a level, a closing report."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path
from typing import Any

import msgspec

from distill.audio.corpus import AudioCorpus
from distill.audio.demo import make_demo_corpus
from distill.audio.io import read_audio, write_audio
from distill.cli.boundary import echo, echo_json
from distill.cli.info import health_lines
from distill.cli.live import TrainingDisplay
from distill.cli.prior_run import command_for_its_model
from distill.config import TrainingConfig
from distill.errors import RunFolderError
from distill.family import VQVAE, Family, family
from distill.models.device import check_devices
from distill.models.file.info import read_model_info
from distill.names import path_to_text, printable
from distill.training.engine.memory import keep_freed_memory
from distill.training.fronts import resume, train
from distill.training.run.folder import RunFolder
from distill.training.run.preparation import begin_run
from distill.training.run.request import RunRequest
from distill.training.run.sounds_inside import refuse_sounds_inside
from distill.training.run.start import RunStart
from distill.training.runner import TrainingRunner
from distill.training.session.result import TrainingResult
from distill.training.session.signals import stopped_by_signals
from distill.training.watch.history import MetricsHistory
from distill.training.watch.preview_distances import distances_of
from distill.words import duration, why_ended

_DEMO_RECONSTRUCTIONS = 8
_STOPPING = "Stopping after this step; the model is kept …\n"


def train_command(
    folder: Path,
    out: Path,
    overrides: dict[str, Any],
    *,
    kind: str = VQVAE,
    model_name: str | None,
    device: str,
    overwrite: bool,
    as_json: bool,
    devices: int = 1,
    start: str | None = None,
) -> TrainingResult:
    """Scans, trains, reports.

    Args:
        folder: of the sounds.
        out: the run folder.
        overrides: settings in place of those that fit the sounds.
        kind: name of the model's family.
        model_name: default the name of the run folder.
        device: where.
        overwrite: replace an earlier run.
        as_json: report for a script.
        devices: processes that train together.
        start: see `train`.

    Raises:
        DistillError: see `train`.
    """
    corpus, config = _scan(
        folder, out, (family(kind), overrides, start), (device, devices), overwrite, quiet=as_json
    )
    keep_freed_memory()
    with stopped_by_signals(_STOPPING) as cancel, TrainingDisplay(quiet=as_json) as display:
        result = train(
            config,
            corpus,
            out,
            device,
            display.update,
            cancel,
            model_name=model_name,
            overwrite=overwrite,
            devices=devices,
            start=start,
        )
    _show(result, as_json)
    return result


def prepare_command(
    folder: Path,
    out: Path,
    overrides: dict[str, Any],
    *,
    kind: str,
    model_name: str | None,
    device: str,
    overwrite: bool,
    devices: int,
    start: str | None,
) -> None:
    """Scans and writes the run folder for others to train.

    Raises:
        DistillError: see `train`.
    """
    corpus, config = _scan(
        folder, out, (family(kind), overrides, start), (device, 1), overwrite, quiet=False
    )
    name = model_name or out.resolve().name
    begins_with = RunStart.chosen(start, config)
    request = RunRequest.of(
        config, corpus, name=name, device=device, devices=devices, start=begins_with
    )
    begin_run(out, request.to_dict(), overwrite=overwrite)
    echo(f"torchrun --nproc-per-node={devices} -m distill.training.worker {printable(out)}")


def _scan(
    folder: Path,
    out: Path,
    model: tuple[Family, dict[str, Any], str | None],
    device: tuple[str, int],
    overwrite: bool,
    *,
    quiet: bool,
) -> tuple[AudioCorpus, TrainingConfig]:
    """The sounds and the settings that fit them."""
    kind, overrides, start = model
    # Whatever is wrong with the settings is said before a long scan.
    RunStart.chosen(start, kind.config.from_dict(overrides))
    check_devices(*device)
    refuse_sounds_inside(out, [folder])
    RunFolder(out).check_free(overwrite=overwrite)
    corpus = AudioCorpus.scan(folder, progress=not quiet)
    config = kind.adaptive_config(len(corpus), corpus.seconds, **overrides)
    if not quiet:
        echo(str(corpus))
        facts = "".join(f", {fact}" for _, fact in kind.facts(config))
        echo(f"Training: {kind.title}{facts}; Ctrl-C stops and keeps the model")
    return corpus, config


def resume_command(
    run: Path, changes: dict[str, Any], *, as_json: bool, kind: str | None = None
) -> TrainingResult:
    """Resumes a run, and reports on the whole of it.

    Args:
        run: its folder.
        changes: what `resume` is to do otherwise than before.
        as_json: report for a script.
        kind: name of the family that it is taken for; None for whichever it is.

    Raises:
        RunFolderError: it is of another family.
        DistillError: see `resume`.
    """
    if kind is not None:
        _check_family(run, family(kind))
    past = RunFolder(run).read_events()[0]
    keep_freed_memory()
    with stopped_by_signals(_STOPPING) as cancel, TrainingDisplay(past, quiet=as_json) as display:
        result = resume(run, display.update, cancel, progress=not as_json, **changes)
    _show(result, as_json)
    if not as_json and (command := command_for_its_model(run)):
        echo(f"To put it into the file of its model: {command}")
    return result


def _check_family(run: Path, expected: Family) -> None:
    found = RunRequest.from_dict(RunFolder(run).read_request()).family
    if found is not expected:
        raise RunFolderError(
            f"{run}: is a run of type {found.name!r} ({found.title}), not {expected.name!r} "
            f"({expected.title}): it is resumed as what it began as, without --family; a new run "
            f"begins with FOLDER --out ANOTHER --family {expected.name}"
        )


def stop_command(run: Path, *, now: bool) -> str:
    """Asks a run to stop and waits for it; says how it ended.

    Raises:
        RunFolderError: no run is there, or none that is training.
    """
    runner = TrainingRunner.attach(run)
    if not runner.is_running:
        state = runner.state
        runner.close()
        raise RunFolderError(f"{printable(run)}: is not training, it is {state}")
    runner.stop(now=now)
    result = runner.wait()
    where = f"; the model is {printable(result.model_path)}" if result else ""
    return f"{printable(run)}: {runner.state}{where}"


def demo_command(
    out: Path, max_seconds: float, device: str, *, overwrite: bool = False
) -> TrainingResult:
    """Makes a corpus, trains on it, reconstructs some sounds the model never learned from.

    Args:
        out: a folder; where it holds a demo already, that one stays and this one goes beside it.
        max_seconds: time to train.
        device: where.
        overwrite: replace the earlier demo.

    Raises:
        DistillError: see `train`.
    """
    if not overwrite:
        out = _free_beside(out)
    sounds = out / "sounds"
    paths = make_demo_corpus(sounds)
    echo(f"Made {len(paths)} sounds in {printable(sounds)}")
    result = train_command(
        sounds,
        out / "run",
        {"max_seconds": max_seconds},
        model_name="demo",
        device=device,
        overwrite=overwrite,
        as_json=False,
    )
    model = result.load()
    judged = [
        Path(file["path"])
        for file in RunFolder(out / "run").read_request()["corpus"]
        if file["split"] == "validation"
    ]
    listen = out / "listen"
    listen.mkdir(parents=True, exist_ok=True)
    for path in judged[:_DEMO_RECONSTRUCTIONS]:
        copy = listen / f"{path.stem}-original.wav"
        write_audio(copy, *read_audio(path), overwrite=overwrite)
        model.reconstruct_file(
            path, listen / f"{path.stem}-reconstruction.wav", overwrite=overwrite
        )
    echo(f"Listen to sounds it never learned from: {printable(listen)}")
    return result


def _free_beside(out: Path) -> Path:
    """The folder itself, or the first of its name with a number that holds no demo yet."""
    place = out if out.name not in ("", "..") else out.resolve()
    for number in itertools.count(1):
        found = place.with_name(f"{place.name}-{number}") if number > 1 else place
        if not any((found / name).exists() for name in ("run", "listen")):
            break
    if found != place:
        echo(f"{printable(out)} holds a demo already, which stays; this one goes to {found}")
    return found


def _show(result: TrainingResult, as_json: bool) -> None:
    if as_json:
        echo_json(_json(result))
    else:
        echo(_report(result))


def _json(result: TrainingResult) -> str:
    best, info = result.history.best, read_model_info(result.model_path)
    kind = info.family
    values = {
        "model": path_to_text(result.model_path),
        "family": kind,
        "start": info.metadata.get("start"),
        "reason": result.reason,
        "epochs": result.epochs,
        "steps": result.steps,
        "seconds": result.elapsed_s,
        "best_epoch": result.best_epoch,
        "best_val_loss": result.best_val_loss,
        family(kind).health_section: list(map(dataclasses.asdict, best.health if best else ())),
        "warnings": [warning.message for warning in result.history.warnings],
    }
    return msgspec.json.format(msgspec.json.encode(values)).decode()  # NaN becomes null


def _preview_lines(history: MetricsHistory) -> list[str]:
    if not history.previews:
        return []
    event = history.previews[-1]
    said = distances_of(event.pairs)
    return [f"  previews of epoch {event.epoch + 1}: {said}"] if said else []


def _report(result: TrainingResult) -> str:
    history, best = result.history, result.history.best
    lines = [
        f"Trained {result.epochs} epochs, {result.steps} steps in {duration(result.elapsed_s)} "
        f"({why_ended(result.reason)})"
    ]
    if start := read_model_info(result.model_path).metadata.get("start"):
        lines.append(f"  started from {printable(start['model'])}")
    if best:
        lines.append(
            f"  best epoch {best.epoch + 1}: validation {best.val_loss:.4f}, "
            f"training {best.train_loss:.4f}"
        )
        lines += health_lines(best.health)
    lines += _preview_lines(history)
    lines += [
        f"  warning, epoch {warning.epoch + 1}: {warning.message}" for warning in history.warnings
    ]
    size = result.model_path.stat().st_size / 1e6
    return "\n".join([*lines, f"Model: {printable(result.model_path)} ({size:.1f} MB)"])
