"""`distill train` and `distill demo`: a live bar, a row a level, a closing report."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import msgspec
import typer

from distill.audio.corpus import AudioCorpus
from distill.audio.demo import make_demo_corpus
from distill.audio.io import read_audio, write_audio
from distill.audio.report import duration
from distill.cli.info import health_lines
from distill.cli.live import TrainingDisplay
from distill.config import VQVAEConfig
from distill.errors import RunFolderError
from distill.models.device import choose_device
from distill.training.config import get_adaptive_vqvae_config
from distill.training.memory import keep_freed_memory
from distill.training.request import RunRequest
from distill.training.result import TrainingResult
from distill.training.run_folder import RunFolder
from distill.training.run_writer import begin_run
from distill.training.runner import TrainingRunner
from distill.training.signals import stopped_by_signals
from distill.training.vqvae import resume_vqvae, train_vqvae

_DEMO_RECONSTRUCTIONS = 8
_STOPPING = "Stopping after this step; the model is kept …\n"


def train_command(
    folder: Path,
    out: Path,
    overrides: dict[str, Any],
    *,
    model_name: str | None,
    device: str,
    overwrite: bool,
    as_json: bool,
) -> TrainingResult:
    """Scans, trains, reports.

    Raises:
        DistillError: see `train_vqvae`.
    """
    corpus, config = _look(folder, out, overrides, device, overwrite, quiet=as_json)
    keep_freed_memory()
    with stopped_by_signals(_STOPPING) as cancel, TrainingDisplay(quiet=as_json) as display:
        result = train_vqvae(
            config,
            corpus,
            out,
            device,
            display.update,
            cancel,
            model_name=model_name,
            overwrite=overwrite,
        )
    typer.echo(_json(result) if as_json else _report(result))
    return result


def prepare_command(
    folder: Path,
    out: Path,
    overrides: dict[str, Any],
    *,
    model_name: str | None,
    device: str,
    overwrite: bool,
) -> None:
    """Scans and writes the run folder for others to train.

    Raises:
        DistillError: see `train_vqvae`.
    """
    corpus, config = _look(folder, out, overrides, device, overwrite, quiet=False)
    name = model_name or out.resolve().name
    request = RunRequest.of(config, corpus, name=name, device=device)
    begin_run(out, request.to_dict(), overwrite=overwrite)
    typer.echo(f"torchrun --nproc-per-node=2 -m distill.training.worker {out}")


def _look(
    folder: Path,
    out: Path,
    overrides: dict[str, Any],
    device: str,
    overwrite: bool,
    *,
    quiet: bool,
) -> tuple[AudioCorpus, VQVAEConfig]:
    """The sounds and the settings that fit them."""
    # Whatever is wrong with the settings is said before a long scan.
    VQVAEConfig(**overrides)
    choose_device(device)
    RunFolder(out).check_free(overwrite=overwrite)
    corpus = AudioCorpus.scan(folder, progress=not quiet)
    config = get_adaptive_vqvae_config(len(corpus), corpus.seconds, **overrides)
    if not quiet:
        typer.echo(str(corpus))
        typer.echo(
            f"Training: {config.levels} levels × {config.codebook_size} entries, "
            f"{config.bits_per_second:.0f} bit/s; Ctrl-C stops and keeps the model"
        )
    return corpus, config


def resume_command(run: Path, changes: dict[str, Any], *, as_json: bool) -> TrainingResult:
    """Goes on with a run, and reports on the whole of it.

    Raises:
        DistillError: see `resume_vqvae`.
    """
    past = RunFolder(run).read_events()[0]
    keep_freed_memory()
    with stopped_by_signals(_STOPPING) as cancel, TrainingDisplay(past, quiet=as_json) as display:
        result = resume_vqvae(run, display.update, cancel, progress=not as_json, **changes)
    typer.echo(_json(result) if as_json else _report(result))
    return result


def stop_command(run: Path, *, now: bool) -> str:
    """Asks a run to stop and waits for it; says how it ended.

    Raises:
        RunFolderError: no run is there, or none that is training.
    """
    runner = TrainingRunner.attach(run)
    if not runner.is_running:
        state = runner.state
        runner.close()
        raise RunFolderError(f"{run}: is not training, it is {state}")
    runner.stop(now=now)
    result = runner.wait()
    kept = f"; the model is {result.model_path}" if result else ""
    return f"{run}: {runner.state}{kept}"


def demo_command(out: Path, max_seconds: float, device: str) -> None:
    """Makes a corpus, trains on it, reconstructs some sounds the model never learned from."""
    sounds = out / "sounds"
    paths = make_demo_corpus(sounds)
    typer.echo(f"Made {len(paths)} sounds in {sounds}")
    result = train_command(
        sounds,
        out / "run",
        {"max_seconds": max_seconds},
        model_name="demo",
        device=device,
        overwrite=True,
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
        write_audio(listen / f"{path.stem}-original.wav", *read_audio(path))
        made = model.reconstruct(*read_audio(path))
        write_audio(listen / f"{path.stem}-reconstruction.wav", *made)
    typer.echo(f"Listen to sounds it never learned from: {listen}")


def _json(result: TrainingResult) -> str:
    best = result.history.best
    values = {
        "model": str(result.model_path),
        "reason": result.reason,
        "epochs": result.epochs,
        "steps": result.steps,
        "seconds": result.elapsed_s,
        "best_epoch": result.best_epoch,
        "best_val_loss": result.best_val_loss,
        "codebook_health": [dataclasses.asdict(level) for level in best.health] if best else [],
        "warnings": [warning.message for warning in result.history.warnings],
    }
    return msgspec.json.format(msgspec.json.encode(values)).decode()  # NaN becomes null


def _report(result: TrainingResult) -> str:
    history, best = result.history, result.history.best
    why = {"stopped": "stopped", "max_seconds": "time is up", "max_epochs": "all epochs done"}
    lines = [
        f"Trained {result.epochs} epochs, {result.steps} steps in {duration(result.elapsed_s)} "
        f"({why.get(result.reason, 'all steps done')})"
    ]
    if best:
        lines.append(
            f"  best epoch {best.epoch + 1}: validation {best.val_loss:.4f}, "
            f"training {best.train_loss:.4f}"
        )
        lines += health_lines(best.health)
    lines += [
        f"  warning, epoch {warning.epoch + 1}: {warning.message}" for warning in history.warnings
    ]
    size = result.model_path.stat().st_size / 1e6
    return "\n".join([*lines, f"Model: {result.model_path} ({size:.1f} MB)"])
