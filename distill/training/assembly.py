"""The parts of a run, put together from its request: the same in every process that trains it."""

from __future__ import annotations

from collections.abc import Iterator

from lightning_fabric import Fabric
from torch import Tensor

from distill.audio.segments import SegmentSampler, whole_sounds
from distill.audio.spectrogram import LogMel
from distill.audio.split import Split
from distill.models.vqvae import ConvVQVAE
from distill.training.engine import Engine, Reporter
from distill.training.loop import Batch
from distill.training.request import RunRequest

_VALIDATION_PIECE_SEGMENTS = 4


def make_sampler(request: RunRequest, split: Split) -> SegmentSampler:
    """The crops a run learns from."""
    config = request.config
    return SegmentSampler(
        split.training,
        segment_samples=(config.segment_frames - 1) * config.spectrogram.hop_length,
        batch_size=config.batch_size,
        gain_db=config.augment_gain_db,
        seed=config.seed,
    )


def make_engine(
    request: RunRequest,
    model: ConvVQVAE,
    fabric: Fabric,
    log_mel: LogMel,
    sampler: SegmentSampler,
    split: Split,
    reporter: Reporter,
) -> Engine:
    """The engine of a run; the same in every process of a run on several devices."""
    config, hop = request.config, request.config.spectrogram.hop_length

    def frames_of(waves: Tensor) -> Tensor:
        mel: Tensor = log_mel(waves.to(fabric.device, non_blocking=True))
        return mel

    def validation() -> Iterator[Batch]:
        pieces = whole_sounds(
            split.validation,
            piece_samples=_VALIDATION_PIECE_SEGMENTS * sampler.segment_samples,
            batch_samples=2 * config.batch_size * sampler.segment_samples,
        )
        for waves, lengths in pieces:
            yield frames_of(waves), float(sum(1 + length // hop for length in lengths))

    return Engine(
        model,
        config,
        fabric=fabric,
        sampler=sampler,
        frames_of=frames_of,
        validation=validation,
        training_samples=sum(map(len, split.training)),
        reporter=reporter,
    )
