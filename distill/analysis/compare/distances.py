"""The three distances that judge a reconstruction; see `distill.audio.distance`."""

from __future__ import annotations

from torch import Tensor

from distill.audio.distance import TWO_SCALES, mel_distance, stft_distance

METRIC_NAMES = {"two_scale_mel": "two-scale mel", "mel": "mel", "stft": "STFT"}
"""As people read them."""
METRICS = tuple(METRIC_NAMES)


def distances(reference: Tensor, estimate: Tensor, sample_rate: int) -> tuple[float, float, float]:
    """In the order of `METRICS`, between two waveforms (samples,)."""
    return (
        mel_distance(reference, estimate, sample_rate, TWO_SCALES),
        mel_distance(reference, estimate, sample_rate),
        stft_distance(reference, estimate),
    )
