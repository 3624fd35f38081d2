"""Training a model of any family: thin fronts of the one engine."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from distill.audio.corpus import AudioCorpus, Source
from distill.config import TrainingConfig
from distill.errors import RunFolderError
from distill.family import family_of, model_config
from distill.models.device import check_devices
from distill.names import as_path
from distill.training.elsewhere import train_elsewhere
from distill.training.engine import loop
from distill.training.engine.fabric import make_fabric
from distill.training.engine.learner import GuardedLearner
from distill.training.engine.processes import Processes
from distill.training.engine.totals import EpochResult, EpochTotals
from distill.training.run.folder import RunFolder
from distill.training.run.preparation import begin_run, extend_run
from distill.training.run.request import RunRequest
from distill.training.run.start import RunStart, StartFrom
from distill.training.run.writer import hold_run
from distill.training.session.result import TrainingResult
from distill.training.session.session import run_session
from distill.training.session.signals import Cancel, StopSignals, stopped_by_signals
from distill.training.watch.event_lines import MetricsCallback, TrainingFailedEvent, call_back


def train(
    config: TrainingConfig,
    sounds: Source | AudioCorpus,
    output_dir: str | Path,
    device: str = "auto",
    callback: MetricsCallback | None = None,
    cancel_event: Cancel | None = None,
    *,
    model_name: str | None = None,
    overwrite: bool = False,
    progress: bool = False,
    devices: int = 1,
    start: StartFrom = None,
) -> TrainingResult:
    """Trains on recordings and keeps the best weights as `model.distill`.

    Args:
        config: of any family; see `get_adaptive_vqvae_config` and `get_adaptive_config`. A plain
            `TrainingConfig` trains a continuous VAE with the defaults of `VAEConfig`.
        sounds: a folder, a file, several of either, or a corpus scanned before.
        output_dir: the run folder, made if missing.
        device: auto, cpu, cuda, cuda:1 or mps.
        callback: gets every event in the training thread; one that raises is detached.
        cancel_event: a `threading.Event`; once set, training finishes its step, validates and keeps
            the model. So do Ctrl-C, SIGTERM and SIGHUP in the main thread, within seconds.
        model_name: default the name of the run folder.
        overwrite: replaces an earlier run in `output_dir`.
        progress: shows a bar while sounds are read.
        devices: processes that train together, each on a GPU of its own, or on its share of the
            CPU's cores. `batch_size` is what each of them takes: a step learns from `devices` times
            as much. With more than one, this process only waits for them, and the callback is
            called in a thread of its own.
        start: what to learn on from, where the family can: `base`, which comes with distill and
            knows sound in general; the path of a model of one's own; or `none`. Its encoder and
            decoder are taken over, and codebooks are made from the sounds, in a run from the base
            from sound in general beside them; there only the decoder learns on. Where the settings
            do not fit the base, the run starts from nothing and a warning says so.

    Raises:
        ConfigError: no such device, or not so many; a model of one's own does not fit the settings.
        CorpusError: no usable sound; the message lists why.
        ModelTypeError: settings of no family, or of one that cannot start from this model.
        ModelFileError: the model to start from is not there, or cannot be read.
        RunFolderError: the folder is taken, not empty, or cannot be written.
        TrainingError: ten steps in a row were not finite, or memory ran out; the last good weights
            are kept.
    """
    path = as_path(output_dir, RunFolderError)
    try:
        check_devices(device, devices)
        config = model_config(config)
        family_of(config)
        begins_with = RunStart.chosen(start, config)
        RunFolder(path).check_free(overwrite=overwrite)
        corpus = _corpus(sounds, config.spectrogram.sample_rate, progress)  # type: ignore[attr-defined]
        name = model_name or path.resolve().name
        request = RunRequest.of(
            config, corpus, name=name, device=device, devices=devices, start=begins_with
        )
        begin_run(path, request.to_dict(), overwrite=overwrite)
    except Exception as error:
        call_back(callback, TrainingFailedEvent(type(error).__name__, str(error)))
        raise
    return train_begun(path, callback, cancel_event, corpus, devices)


def train_begun(
    path: Path,
    callback: MetricsCallback | None,
    cancel_event: Cancel | None,
    corpus: AudioCorpus,
    devices: int,
) -> TrainingResult:
    """Trains a run that was begun.

    Args:
        path: of its folder.
        callback: see `train`, as the others.
        cancel_event: see `train`.
        corpus: its sounds.
        devices: processes that train together.

    Raises:
        DistillError: whatever ended the run.
    """
    if devices > 1:
        return train_elsewhere(path, callback, cancel_event, corpus)
    return _train(path, callback, cancel_event, corpus=corpus)


def resume(
    run_folder: str | Path,
    callback: MetricsCallback | None = None,
    cancel_event: Cancel | None = None,
    *,
    max_epochs: int | None = None,
    max_steps: int | None = None,
    max_seconds: float | None = None,
    sounds: Source | None = None,
    new_sounds: bool = False,
    progress: bool = False,
    devices: int | None = None,
) -> TrainingResult:
    """Resumes a run that was stopped, died, or is to be longer, in this process.

    With a step or epoch budget, on a CPU, it ends as if it had never been interrupted.

    Args:
        run_folder: of the run.
        callback: gets the events from here on; see `train`.
        cancel_event: see `train`.
        max_epochs: a new budget in place of the old one.
        max_steps: likewise.
        max_seconds: likewise.
        sounds: where the run's sounds are now, if not where they were, or if the run comes from
            another machine; they are recognised by their content.
        new_sounds: also learns from sounds that have come to its folders since it began.
        progress: shows a bar while sounds are read.
        devices: another number of processes than before. Each goes on to take `batch_size`, so a
            step learns from more or less than it did, and an epoch has fewer or more steps.

    Raises:
        ConfigError: this machine does not have so many devices.
        RunFolderError: no run is there, it is being trained, or it is finished and has no new
            budget.
        CorpusError: a sound is missing, or is another than it was; or the run comes from another
            machine and `sounds` are not given.
        CheckpointError: no checkpoint can be read.
        TrainingError: see `train`.
    """
    path = as_path(run_folder, RunFolderError)
    budget = {"max_epochs": max_epochs, "max_steps": max_steps, "max_seconds": max_seconds}
    found = extend_run(path, budget, sounds=sounds, new_sounds=new_sounds, devices=devices)
    if RunRequest.from_dict(RunFolder(path).read_request()).devices > 1:
        return train_elsewhere(path, callback, cancel_event, found)
    return _train(path, callback, cancel_event, progress=progress)


def train_epoch(
    model: nn.Module,
    batches: Iterable[Tensor],
    optimizer: torch.optim.Optimizer,
    *,
    gradient_clip: float = 1.0,
) -> EpochResult:
    """Trains a model once over batches, on the device it is on.

    Args:
        model: of any family that learns from log-mel frames.
        batches: log-mel frames, (batch, n_mels, frames).
        optimizer: of the model's parameters.
        gradient_clip: largest norm of a gradient.

    Raises:
        TrainingError: ten batches in a row were not finite.
    """
    fabric = make_fabric(next(model.parameters()).device)
    task = family_of(model.config).task(model.config, model)  # type: ignore[arg-type]
    optimizers = task.wrap(fabric, [optimizer])
    totals = EpochTotals(task.nothing_observed())
    learner = GuardedLearner(model, optimizers, fabric, clip=gradient_clip)
    learner.progress = 1.0
    loop.train_epoch(task, batches, learner, totals)
    return totals.result()


def validate_epoch(model: nn.Module, batches: Iterable[Tensor]) -> EpochResult:
    """Judges a model once over batches, (batch, n_mels, frames), changing nothing in it."""
    fabric = make_fabric(next(model.parameters()).device)
    task = family_of(model.config).task(model.config, model)  # type: ignore[arg-type]
    task.wrap(fabric, [])
    totals = EpochTotals(task.nothing_observed())
    weighted = ((mel, float(mel.shape[0] * mel.shape[-1])) for mel in batches)
    was_training = model.training
    try:
        loop.judge_epoch(task, weighted, totals, Processes(fabric))
    finally:
        model.train(was_training)
    return totals.result()


def _train(
    path: Path, callback: MetricsCallback | None, cancel_event: Cancel | None, **options: Any
) -> TrainingResult:
    if isinstance(cancel_event, StopSignals):  # the caller receives them, and ends as it likes
        with hold_run(path) as folder:
            return run_session(folder, callback=callback, signals=cancel_event, **options)
    with stopped_by_signals(repeat=True) as signals, hold_run(path) as folder:
        return run_session(
            folder, callback=callback, cancel_event=cancel_event, signals=signals, **options
        )


def _corpus(source: Source | AudioCorpus, sample_rate: int, progress: bool) -> AudioCorpus:
    if isinstance(source, AudioCorpus) and source.sample_rate == sample_rate:
        return source
    if isinstance(source, AudioCorpus):  # scanned for another rate
        source = [file.path for file in source.files]
    return AudioCorpus.scan(source, sample_rate=sample_rate, progress=progress)
