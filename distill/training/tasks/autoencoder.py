"""AutoencoderTask: learning a model of log-mel frames from waveforms."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from distill.audio.segments import SegmentSampler, whole_sounds
from distill.audio.spectrogram import LogMel
from distill.audio.split import Split
from distill.audio.vocoder import GriffinLimVocoder
from distill.config import AutoencoderConfig
from distill.errors import NonFiniteError
from distill.own_folder import OwnFolder
from distill.training.engine.task import Judgement, Learner
from distill.training.run.state_checks import check_generator, member, table
from distill.training.tasks.preview import (
    PreviewSound,
    choose_preview_sounds,
    with_floor,
    write_previews,
)
from distill.training.watch.events import PreviewPair

if TYPE_CHECKING:
    from lightning_fabric import Fabric

_VALIDATION_PIECE_SEGMENTS = 4
_BETAS = (0.9, 0.95)  # trainings of minutes forget old gradients sooner than the default does


class AutoencoderTask(ABC):
    """What the families of sound models share: random crops to learn from, whole sounds to judge
    by, previews. A family says in `judgement` what it minimises.

    A batch is waveforms, (batch, samples), or log-mel frames, (batch, n_mels, frames).

    Args:
        config: of the model and its training.
        module: returns the reconstruction first, from log-mel frames.
    """

    loss_parts: tuple[str, ...] = ("reconstruction",)

    def __init__(self, config: AutoencoderConfig, module: nn.Module) -> None:
        self.config = config
        self.module = module
        self.batches_per_pass = 0.0
        self._fabric: Fabric
        self._forward: Any  # the module as Fabric wraps it, for training only
        self._log_mel: LogMel
        self._sampler: SegmentSampler
        self._split: Split
        self._preview_sounds: list[PreviewSound]

    @abstractmethod
    def judgement(self, mel: Tensor, output: Any, progress: float) -> Judgement:
        """What a batch costs.

        Args:
            mel: (batch, n_mels, frames).
            output: what the module returned for it.
            progress: share of the budget used; 1 where nothing is learned.
        """

    def nothing_observed(self) -> dict[str, Tensor]:
        """See `Task`."""
        return {}

    def keep_general(self) -> None:  # noqa: B027 - a slower rate is enough for most
        """See `Task`."""

    def prepare(self) -> None:  # noqa: B027 - most start from random numbers
        """See `Task`."""

    def optimizers(self) -> Sequence[Optimizer]:
        """See `Task`."""
        config = self.config
        return [
            torch.optim.AdamW(
                self.module.parameters(),
                lr=config.learning_rate,
                betas=_BETAS,
                weight_decay=config.weight_decay,
            )
        ]

    def setup(self, fabric: Fabric, split: Split) -> Sequence[Optimizer]:
        """See `Task`."""
        config = self.config
        self._split = split
        self._log_mel = LogMel(config.spectrogram).to(fabric.device)
        self._sampler = SegmentSampler(
            split.training,
            segment_samples=(config.segment_frames - 1) * config.spectrogram.hop_length,
            batch_size=config.batch_size,
            gain_db=config.augment_gain_db,
            seed=config.seed,
        )
        self._preview_sounds = choose_preview_sounds(
            split.validation,
            split.validation_names,
            count=config.preview_count,
            samples=int(config.preview_seconds * config.spectrogram.sample_rate),
        )
        batch_samples = config.batch_size * max(1, self._sampler.segment_samples)
        self.batches_per_pass = sum(map(len, split.training)) / batch_samples
        return self.wrap(fabric, self.optimizers())

    def wrap(self, fabric: Fabric, optimizers: Sequence[Optimizer]) -> Sequence[Optimizer]:
        """Moves the module to the device; returns the optimisers as Fabric wraps them.

        Args:
            fabric: see `Task.setup`.
            optimizers: of the module; none where it is only judged.
        """
        self._fabric = fabric
        if not optimizers:
            return []
        self._forward, *wrapped = fabric.setup(self.module, *optimizers)
        return wrapped

    def batch(self, rank: int, ranks: int) -> Tensor:
        """See `Task`."""
        return self._sampler.batch(rank=rank, ranks=ranks)

    def validation(self, rank: int, ranks: int) -> Iterator[tuple[Tensor, float]]:
        """See `Task`."""
        samples, hop = self._sampler.segment_samples, self.config.spectrogram.hop_length
        pieces = whole_sounds(
            self._split.validation,
            piece_samples=_VALIDATION_PIECE_SEGMENTS * samples,
            batch_samples=2 * self.config.batch_size * samples,
        )
        for waves, lengths in islice(pieces, rank, None, ranks):
            yield waves, float(sum(1 + length // hop for length in lengths))

    def train_step(self, batch: Tensor, learner: Learner) -> Judgement:
        """See `Task`."""
        mel = self.frames(batch)
        judgement = self.judgement(mel, self._forward(mel), learner.progress)
        learner.apply(judgement)
        return judgement

    def judge(self, batch: Tensor) -> Judgement:
        """See `Task`."""
        mel = self.frames(batch)
        with self._fabric.autocast():
            return self.judgement(mel, self.module(mel), 1.0)

    def frames(self, batch: Tensor) -> Tensor:
        """Log-mel frames of a batch, on the device.

        Raises:
            NonFiniteError: NaN or Inf in the sound. One of several processes could not leave its
                batch out alone: there it shows in the loss of all.
        """
        if batch.ndim == 3:
            return batch.to(self._fabric.device)
        if self._fabric.world_size == 1 and not np.isfinite(batch.numpy()).all():
            raise NonFiniteError("NaN or Inf in the sound")
        mel: Tensor = self._log_mel(batch.to(self._fabric.device, non_blocking=True))
        return mel

    def crops(self, count: int) -> Tensor:
        """Log-mel frames of as many random crops, the same in all processes."""
        return self.frames(self._sampler.batch(count))

    @property
    def crop_samples(self) -> int:
        """Length of a crop."""
        return self._sampler.segment_samples

    def preview(self, files: OwnFolder, inside: str) -> tuple[PreviewPair, ...]:
        """See `Task`."""
        log_mel, vocoder = self._log_mel, GriffinLimVocoder(self._log_mel)
        sounds = [
            with_floor(sound, log_mel=log_mel, vocoder=vocoder) if sound.floor is None else sound
            for sound in self._preview_sounds
        ]
        self._preview_sounds = sounds
        return write_previews(self.module, sounds, files, inside, log_mel=log_mel, vocoder=vocoder)

    def state_dict(self) -> dict[str, Any]:
        """See `Task`."""
        return {"sampler": self._sampler.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """See `Task`."""
        self._sampler.load_state_dict(state["sampler"])

    def check_state(self, state: Any) -> None:
        """See `Task`."""
        sampler = table(member(table(state, "task"), "sampler"), "sampler")
        check_generator(member(sampler, "generator"), "sampler: generator")
