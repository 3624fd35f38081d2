"""How far one sound is from another, as the neural-codec papers measure it.

Source: Kumar et al. 2023, "High-Fidelity Audio Compression with Improved RVQGAN": the mel and STFT
distances of its evaluation, on magnitudes, periodic Hann windows, centred, mirrored edges.
"""

from __future__ import annotations

import threading
import warnings
from functools import lru_cache

import torch
import torch.nn.functional as F
import torchaudio.functional
from torch import Tensor

from distill.arrays import as_floats, as_rate
from distill.errors import ShapeError

SEVEN_SCALES = ((5, 32), (10, 64), (20, 128), (40, 256), (80, 512), (160, 1024), (320, 2048))
"""(mels, window) pairs of the mel distance."""
TWO_SCALES = ((150, 2048), (80, 512))
"""(mels, window) pairs of the two-scale mel distance."""
STFT_WINDOWS = (2048, 512)
_EPSILON = 1e-5


def mel_distance(
    reference: Tensor,
    estimate: Tensor,
    sample_rate: int,
    scales: tuple[tuple[int, int], ...] = SEVEN_SCALES,
) -> float:
    """Sum over scales of the mean absolute difference of log10 mel magnitudes.

    Args:
        reference: (samples,).
        estimate: (samples,).
        sample_rate: of both, in Hz.
        scales: (mels, window in samples) pairs; hops are a quarter of a window.

    Returns:
        0 for equal sounds; at 48 kHz about 2 for a small codec at 1 kbit/s.

    Raises:
        ShapeError: the two differ in length, or are not mono waveforms of finite numbers.
        ConfigError: a sample rate that is none.
    """
    reference, estimate = _checked(reference, estimate)
    sample_rate = as_rate(sample_rate)
    total = 0.0
    for mels, window in scales:
        filters = _filters(mels, window, sample_rate)
        logs = [
            (filters @ _magnitude(sound, window)).clamp(min=_EPSILON).log10()
            for sound in (reference, estimate)
        ]
        total += float((logs[0] - logs[1]).abs().mean())
    return total


def stft_distance(reference: Tensor, estimate: Tensor) -> float:
    """Sum over two windows of mean |difference of log10 power| + mean |difference of magnitude|.

    Args:
        reference: (samples,).
        estimate: (samples,).

    Raises:
        ShapeError: the two differ in length, or are not mono waveforms of finite numbers.
    """
    reference, estimate = _checked(reference, estimate)
    total = 0.0
    for window in STFT_WINDOWS:
        one, other = _magnitude(reference, window), _magnitude(estimate, window)
        logs = one.clamp(min=_EPSILON).log10() - other.clamp(min=_EPSILON).log10()
        total += float(2 * logs.abs().mean() + (one - other).abs().mean())
    return total


def _checked(reference: Tensor, estimate: Tensor) -> tuple[Tensor, Tensor]:
    reference, estimate = as_floats(reference, "reference"), as_floats(estimate, "estimate")
    if reference.ndim != 1 or reference.shape != estimate.shape or not len(reference):
        raise ShapeError(
            f"reference {tuple(reference.shape)} and estimate {tuple(estimate.shape)}: "
            "expected two mono waveforms (samples,) of the same length"
        )
    for name, sound in (("reference", reference), ("estimate", estimate)):
        if not torch.isfinite(sound).all():
            raise ShapeError(f"{name} holds NaN or Inf")
    return reference, estimate


def _magnitude(sound: Tensor, window: int) -> Tensor:
    """(samples,) to (window // 2 + 1, frames)."""
    short = window // 2 + 1 - len(sound)
    if short > 0:  # too short to be mirrored
        sound = F.pad(sound, (0, short))
    return torch.stft(
        sound.float(),
        window,
        window // 4,
        window=torch.hann_window(window, device=sound.device),
        center=True,
        pad_mode="reflect",
        return_complex=True,
    ).abs()


_ONE_AT_A_TIME = threading.Lock()


@lru_cache(maxsize=32)
def _filters(mels: int, window: int, sample_rate: int) -> Tensor:
    """Slaney mel filters, (mels, bins)."""
    with _ONE_AT_A_TIME, warnings.catch_warnings():  # which all threads share
        # At 320 mels some filters are narrower than a bin and stay empty, as in the papers.
        warnings.filterwarnings("ignore", message="At least one mel filterbank has all zero")
        return torchaudio.functional.melscale_fbanks(
            window // 2 + 1, 0.0, sample_rate / 2, mels, sample_rate, "slaney", "slaney"
        ).T
