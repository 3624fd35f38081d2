"""The parts of a run, put together from its request: the same in every process that trains it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import torch
from torch import Tensor

from distill.audio.segments import SegmentSampler, whole_sounds
from distill.audio.spectrogram import LogMel
from distill.audio.split import Split
from distill.models.device import choose_device
from distill.models.vqvae.model import ConvVQVAE
from distill.training.engine.engine import Engine, Reporter
from distill.training.engine.fabric import make_fabric
from distill.training.engine.loop import Batch
from distill.training.run.request import RunRequest

_VALIDATION_PIECE_SEGMENTS = 4
_ReporterT = TypeVar("_ReporterT", bound=Reporter)


def assemble(
    request: RunRequest, split: Split, make_reporter: Callable[[LogMel], _ReporterT]
) -> tuple[Engine, _ReporterT]:
    """Model, data and engine of a run, and the reporter that the engine talks to.

    Seeds torch's global random generator, from which codebooks draw.

    Args:
        request: names config and device.
        split: the sounds.
        make_reporter: given the spectrogram on the run's device.
    """
    config, hop = request.config, request.config.spectrogram.hop_length
    fabric = make_fabric(choose_device(request.device))
    torch.manual_seed(config.seed)
    model = ConvVQVAE(config)
    log_mel = LogMel(config.spectrogram).to(fabric.device)
    sampler = SegmentSampler(
        split.training,
        segment_samples=(config.segment_frames - 1) * hop,
        batch_size=config.batch_size,
        gain_db=config.augment_gain_db,
        seed=config.seed,
    )

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

    reporter = make_reporter(log_mel)
    engine = Engine(
        model,
        config,
        fabric=fabric,
        sampler=sampler,
        frames_of=frames_of,
        validation=validation,
        training_samples=sum(map(len, split.training)),
        reporter=reporter,
    )
    return engine, reporter
