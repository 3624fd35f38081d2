"""train_prior: learns a prior over the codes of a model from recordings; a front of the engine."""

from __future__ import annotations

import dataclasses
import os
from functools import partial
from pathlib import Path
from typing import Any

from distill.audio.corpus import AudioCorpus, Source
from distill.config import PriorConfig, get_adaptive_prior_config
from distill.config.conditions import CLASS
from distill.config.start import BASE
from distill.errors import ConfigError, RunFolderError, UninitialisedError
from distill.models.device import check_devices
from distill.models.prior.corpus import CodeCorpus, as_corpus, classes_of, learned_names
from distill.models.prior.room import check_recordings
from distill.models.use.bottlenecks import check_codebooks
from distill.models.use.loaded import LoadedVQModel
from distill.models.use.loading import load_model_v2
from distill.names import as_path
from distill.training.fronts import train_begun
from distill.training.run.codec import keep_codec
from distill.training.run.folder import RunFolder
from distill.training.run.preparation import begin_run
from distill.training.run.request import RunRequest
from distill.training.run.start import RunStart
from distill.training.session.result import TrainingResult
from distill.training.session.signals import Cancel
from distill.training.watch.event_lines import MetricsCallback, TrainingFailedEvent, call_back

ModelOrFile = LoadedVQModel | str | os.PathLike[str]
Recordings = Source | AudioCorpus | CodeCorpus


def train_prior(
    model: ModelOrFile,
    sounds: Recordings,
    output_dir: str | Path,
    config: PriorConfig | None = None,
    device: str = "auto",
    callback: MetricsCallback | None = None,
    cancel_event: Cancel | None = None,
    *,
    overwrite: bool = False,
    progress: bool = False,
    devices: int = 1,
    start: str | None = None,
) -> TrainingResult:
    """Learns how the codes of a model follow one another in recordings.

    The run's `model.distill` is the model with the prior beside it, as it was best on recordings
    that were held out; `result.load().generate(10)` makes sound. The model's own file stays as it
    is: `result.load().save(path, overwrite=True)` puts the prior into it.

    Args:
        model: an RVQ-VAE, or its file.
        sounds: a folder, a file, several of either, or what was scanned or encoded before.
        output_dir: the run folder, made if missing.
        config: default `get_adaptive_prior_config(model.config, …)`.
        device: auto, cpu, cuda, cuda:1 or mps.
        callback: gets every event in the training thread; one that raises is detached.
        cancel_event: see `train`.
        overwrite: replaces an earlier run in `output_dir`.
        progress: shows a bar while sounds are read.
        devices: processes that train together; see `train`.
        start: `base`, a prior that comes with distill and knows how codes follow one another in
            sound in general, for models that started from the base; or `none`. By default the
            base, where it fits.

    Raises:
        ConfigError: settings for another model, no such device or not so many, or more recordings
            than a file can name.
        CorpusError: no usable sound; the message lists why.
        ModelTypeError: a model without codebooks.
        ModelFileError: the model cannot be read.
        RunFolderError: the folder is taken, not empty, or cannot be written.
        TrainingError: see `train`.
    """
    path = as_path(output_dir, RunFolderError)
    try:
        corpus = begin_prior(
            model, sounds, path, config, device,
            overwrite=overwrite, devices=devices, progress=progress, start=start,
        )  # fmt: skip
    except Exception as error:
        call_back(callback, TrainingFailedEvent(type(error).__name__, str(error)))
        raise
    return train_begun(path, callback, cancel_event, corpus, devices)


def begin_prior(
    model: ModelOrFile,
    sounds: Recordings,
    path: Path,
    config: PriorConfig | None,
    device: str,
    *,
    overwrite: bool,
    devices: int = 1,
    progress: bool = False,
    start: str | None = None,
) -> AudioCorpus:
    """Makes a run folder in which a prior can be trained.

    Args:
        model: see `train_prior`, as the others.
        sounds: see there.
        path: of the run folder.
        config: see there.
        device: see there.
        overwrite: see there.
        devices: see there.
        progress: see there.
        start: see there.

    Returns:
        The recordings.

    Raises:
        DistillError: see `train_prior`.
    """
    check_devices(device, devices)
    codec = opened_codec(model)
    if config is not None:
        config.checked_for(codec.config)
    RunFolder(path).check_free(overwrite=overwrite)
    corpus = as_corpus(sounds, codec.sample_rate, progress=progress)
    config = (
        _with_classes(config, corpus) if config else prior_config_for(codec, corpus, start=start)
    )
    learned = learned_names(corpus, corpus.split(config.validation_fraction))
    check_recordings(learned, config.copies)  # before there is a folder
    request = RunRequest.of(
        config, corpus, name=codec.name, device=device, devices=devices, codec=codec.digest,
        start=RunStart.of_prior(start, codec, config),
    )  # fmt: skip

    def fill(folder: Path) -> Any:
        return keep_codec(folder, codec)

    begin_run(path, request.to_dict(), overwrite=overwrite, fill=fill)
    return corpus


def prior_config_for(
    codec: LoadedVQModel, corpus: AudioCorpus, *, start: str | None = None, **overrides: Any
) -> PriorConfig:
    """Settings that fit recordings, and the folders that they are sorted by.

    Args:
        codec: the model whose codes are learned.
        corpus: the recordings.
        start: see `train_prior`: from the base there is less to learn.
        **overrides: see `get_adaptive_prior_config`.

    Raises:
        ModelFileError: the base was asked for, and cannot be read.
        ConfigError: see `get_adaptive_prior_config`; or the class is to be told of recordings that
            are not sorted by folders.
    """
    settings = {"classes": classes_of(corpus), **overrides}
    fitted = partial(get_adaptive_prior_config, codec.config, len(corpus), corpus.seconds)
    config = _with_classes(fitted(**settings), corpus)
    if RunStart.of_prior(start, codec, config).model == BASE:
        config = _with_classes(fitted(from_base=True, **settings), corpus)
    return config


def _with_classes(config: PriorConfig, corpus: AudioCorpus) -> PriorConfig:
    if CLASS not in config.conditions or config.classes:
        return config
    classes = classes_of(corpus)
    if not classes:
        raise ConfigError(
            "conditions: 'class' is the folder that a recording lies in, and these lie in none; "
            "sort them into folders below the one that you name, or leave 'class' out"
        )
    return dataclasses.replace(config, classes=classes)


def opened_codec(model: Any) -> LoadedVQModel:
    """A model whose codes can be learned.

    Args:
        model: in use, or its file.

    Raises:
        ModelTypeError: it has no codebooks.
        UninitialisedError: they are empty.
        ModelFileError: it cannot be read.
    """
    codec = load_model_v2(model) if isinstance(model, (str, os.PathLike)) else model
    check_codebooks(codec, "a prior")
    if not codec.has_codebooks:
        raise UninitialisedError("the codebooks of this model are empty: train it first")
    found: LoadedVQModel = codec
    return found
