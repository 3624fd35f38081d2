"""The three distances that judge a reconstruction; see `distill.audio.distance`."""

from __future__ import annotations

from torch import Tensor

from distill.audio.distance import TWO_SCALES, mel_distance, stft_distance

METRICS = ("two_scale_mel", "mel", "stft")
METRIC_NAMES = ("two-scale mel", "mel", "STFT")
"""As people read them."""


def distances(reference: Tensor, estimate: Tensor, sample_rate: int) -> tuple[float, float, float]:
    """In the order of `METRICS`, between two waveforms (samples,)."""
    return (
        mel_distance(reference, estimate, sample_rate, TWO_SCALES),
        mel_distance(reference, estimate, sample_rate),
        stft_distance(reference, estimate),
    )
