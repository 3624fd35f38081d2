"""VQVAETask: learning an RVQ-VAE, and what is seen of its codebooks meanwhile."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from distill.codebook.counts import count_checked_codes
from distill.config import VQVAEConfig
from distill.models.losses import vqvae_loss
from distill.models.vqvae.model import ConvVQVAE
from distill.training.engine.task import Judgement, Learner
from distill.training.tasks.autoencoder import AutoencoderTask

_FRAMES_PER_ENTRY = 90
"""Of sound, for k-means: with much less codebooks fit those crops alone, and other sounds badly."""
_MOST_KMEANS_SAMPLES = 2**25  # of sound, 128 MB


class VQVAETask(AutoencoderTask):
    """Codebooks begin by k-means and follow the latents, but where they came to stay, in a run from
    the base; uses and replaced entries are counted.

    Args:
        config: of the model and its training.
        module: learns on; default a new one.
    """

    config: VQVAEConfig
    module: ConvVQVAE
    loss_parts = ("reconstruction", "commitment")

    def __init__(self, config: VQVAEConfig, module: ConvVQVAE | None = None) -> None:
        super().__init__(config, ConvVQVAE(config) if module is None else module)
        self._commitment_weight = config.commitment_weight

    def judgement(self, mel: Tensor, output: Any, progress: float) -> Judgement:  # noqa: ARG002
        """See `AutoencoderTask`."""
        reconstruction, codes, commitment = output
        loss, distance, _ = vqvae_loss(
            reconstruction, mel, commitment, commitment_weight=self._commitment_weight
        )
        return Judgement(
            loss,
            {"reconstruction": distance, "commitment": commitment.sum()},
            {
                "counts": count_checked_codes(codes.transpose(0, 1).flatten(1), self._entries),
                "replaced": self._replaced(),
            },
        )

    def nothing_observed(self) -> dict[str, Tensor]:
        """See `Task`."""
        levels = self.config.levels
        return {
            "counts": torch.zeros(levels, self._entries, dtype=torch.int64, device="cpu"),
            "replaced": torch.zeros(levels, dtype=torch.int64, device="cpu"),
        }

    def keep_general(self) -> None:
        """See `Task`."""
        if self.config.tunes_codes:
            self.module.quantizer.follow_slowly(self.config.codebook_tuning_share)
        else:
            self.module.keep_codes()
            self._commitment_weight = 0.0  # nothing lowers it: the loss would hide what is learned

    @torch.no_grad()
    def prepare(self) -> None:
        """Fills the codebooks by k-means over the latents of as much sound as they need, and over
        those of sound in general that came with the base.
        """
        wanted = math.ceil(_FRAMES_PER_ENTRY * self._entries / self.config.segment_frames)
        fitting = _MOST_KMEANS_SAMPLES // self.crop_samples
        crops = self.crops(max(self.config.batch_size, min(wanted, fitting)))
        steps = self.config.batch_size * (self.config.segment_frames // self.config.stride)
        self.module.initialise(crops, steps * self._fabric.world_size)

    def train_step(self, batch: Tensor, learner: Learner) -> Judgement:
        """See `Task`."""
        with self.module.quantizer.unguarded():
            return super().train_step(batch, learner)

    @property
    def _entries(self) -> int:
        return self.config.codebook_size

    def _replaced(self) -> Tensor:
        """All processes replace the same entries: the first one counts them."""
        replaced = self.module.quantizer.replaced
        return replaced if self._fabric.global_rank == 0 else torch.zeros_like(replaced)
