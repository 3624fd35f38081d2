"""What a sound looks like: an envelope and a mel picture, small enough to send."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from distill.audio.spectrogram import SILENCE, LogMel
from distill.config import SpectrogramConfig

ENVELOPE_COLUMNS = 240
PICTURE_BANDS, PICTURE_COLUMNS = 48, 160
_LOUD = 2.0


@dataclass(frozen=True)
class Envelope:
    """Least and greatest sample of each column."""

    values: npt.NDArray[np.int8]
    """(2, columns), -127 to 127."""


def envelope(waveform: npt.NDArray[np.float32], columns: int = ENVELOPE_COLUMNS) -> Envelope:
    """The outline of a sound.

    Args:
        waveform: (samples,) in [-1, 1].
        columns: at most; a sound of fewer samples has fewer.
    """
    samples = len(waveform)
    if not samples:
        return Envelope(np.zeros((2, 1), np.int8))
    starts = np.unique(np.arange(min(columns, samples)) * samples // min(columns, samples))
    edges = [np.minimum.reduceat(waveform, starts), np.maximum.reduceat(waveform, starts)]
    return Envelope(np.round(np.clip(np.stack(edges), -1, 1) * 127).astype(np.int8))


@functools.lru_cache(maxsize=4)
def _log_mel(config: SpectrogramConfig) -> LogMel:
    return LogMel(config)


def mel_picture(
    waveform: npt.NDArray[np.float32], config: SpectrogramConfig
) -> npt.NDArray[np.uint8]:
    """Log-mel frames as brightness, low bands first.

    Args:
        waveform: (samples,) at the config's rate.
        config: of the model that is looked at.

    Returns:
        (bands, columns), at most `PICTURE_BANDS` × `PICTURE_COLUMNS`.
    """
    if not len(waveform):
        return np.zeros((1, 1), np.uint8)
    with torch.no_grad():
        mel = _log_mel(config)(torch.from_numpy(np.ascontiguousarray(waveform)))
        size = (min(PICTURE_BANDS, mel.shape[-2]), min(PICTURE_COLUMNS, mel.shape[-1]))
        small = F.adaptive_avg_pool2d(mel[None], size)[0]
    return brightness(small.numpy())


def brightness(log_mel: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """What `LogMel` gives as 0 (silence) to 255 (as loud as music gets)."""
    share = (log_mel - SILENCE) / (_LOUD - SILENCE)
    return np.round(255 * np.clip(share, 0, 1)).astype(np.uint8)
