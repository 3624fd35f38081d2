"""The fronts under the names they had while there was one family; see `distill.training.fronts`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from distill.audio.corpus import AudioCorpus, Source
from distill.config import VQVAEConfig
from distill.errors import RunFolderError
from distill.family import VQVAE
from distill.models.vqvae.model import ConvVQVAE
from distill.names import printable
from distill.training.engine.totals import EpochResult
from distill.training.fronts import resume, train, train_epoch, validate_epoch
from distill.training.run.folder import RunFolder
from distill.training.run.start import StartFrom
from distill.training.session.result import TrainingResult
from distill.training.session.signals import Cancel
from distill.training.watch.event_lines import MetricsCallback


def train_vqvae(
    config: VQVAEConfig,
    file_paths: Source | AudioCorpus,
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
    """`train`, for an RVQ-VAE; arguments and errors are the same.

    Args:
        config: see `get_adaptive_vqvae_config`.
        file_paths: a folder, a file, several of either, or a corpus scanned before.
        output_dir: see `train`, as all others.
        device: see `train`.
        callback: see `train`.
        cancel_event: see `train`.
        model_name: see `train`.
        overwrite: see `train`.
        progress: see `train`.
        devices: see `train`.
        start: see `train`.
    """
    return train(
        config,
        file_paths,
        output_dir,
        device,
        callback,
        cancel_event,
        model_name=model_name,
        overwrite=overwrite,
        progress=progress,
        devices=devices,
        start=start,
    )


def resume_vqvae(
    run_folder: str | Path,
    callback: MetricsCallback | None = None,
    cancel_event: Cancel | None = None,
    **options: Any,
) -> TrainingResult:
    """`resume`, for a run of an RVQ-VAE; arguments and errors are the same.

    Args:
        run_folder: of the run.
        callback: see `resume`.
        cancel_event: see `resume`.
        **options: max_epochs, max_steps, max_seconds, sounds, new_sounds, progress and devices,
            see `resume`.

    Raises:
        RunFolderError: also where the run is of another family.
    """
    found = RunFolder(run_folder).read_request().get("model_type", VQVAE)
    if found != VQVAE:
        raise RunFolderError(
            f"{printable(run_folder)}: a run of type {printable(str(found))!r}, which resume_vqvae "
            "does not resume; distill.resume resumes runs of any type"
        )
    return resume(run_folder, callback, cancel_event, **options)


@dataclass(frozen=True)
class VQEpochResult(EpochResult):
    """An `EpochResult` with what an RVQ-VAE has under names of its own."""

    @property
    def reconstruction(self) -> float:
        """The reconstruction part of the loss."""
        return self.parts["reconstruction"]

    @property
    def penalty(self) -> float:
        """The rest of the loss: the weighted commitment."""
        return self.loss - self.reconstruction

    @property
    def counts(self) -> Tensor:
        """Uses of each entry, (level, entry) int64."""
        return self.observed["counts"]

    @property
    def replaced(self) -> tuple[int, ...]:
        """Dead entries replaced at each level."""
        return tuple(self.observed["replaced"].tolist())


def train_vqvae_epoch(
    model: ConvVQVAE,
    batches: Iterable[Tensor],
    optimizer: torch.optim.Optimizer,
    *,
    gradient_clip: float = 1.0,
) -> VQEpochResult:
    """`train_epoch` of an RVQ-VAE; arguments and errors are the same."""
    return _of_vq(train_epoch(model, batches, optimizer, gradient_clip=gradient_clip))


def validate_vqvae_epoch(model: ConvVQVAE, batches: Iterable[Tensor]) -> VQEpochResult:
    """`validate_epoch` of an RVQ-VAE; arguments are the same."""
    return _of_vq(validate_epoch(model, batches))


def _of_vq(result: EpochResult) -> VQEpochResult:
    return VQEpochResult(**vars(result))
