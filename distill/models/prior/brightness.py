"""How bright the steps of a sound are: where in the spectrum they lie, by their log-mel."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from distill.audio.signal_window import Window
from distill.audio.spectrogram import FLOOR, LogMel, magnitude
from distill.config.conditions import BRIGHTEST_HZ, BRIGHTNESS_STEP_OCTAVES, DARKEST_HZ

_SILENT = 2 * FLOOR


@torch.no_grad()
def step_brightness(spectrogram: LogMel, waveform: Tensor, stride: int, steps: int) -> Tensor:
    """The spectral centroid of each step, (steps,) Hz; NaN where it is silent.

    Args:
        spectrogram: of the codec, on the CPU.
        waveform: (samples,) at its rate.
        stride: frames of a step.
        steps: how many.

    Source: as `distill.audio.sound_features.brightness_hz`, from mel bands instead of bins.
    """
    centres, widths = _bands(spectrogram)
    sums = [
        torch.stack([weights.sum(dim=0), (weights * centres).sum(dim=0)])
        for mel in spectrogram.in_pieces(Window([waveform]), len(waveform))
        for weights in (_weights(magnitude(mel), widths),)
    ]
    frames = torch.cat(sums, dim=1)[:, : steps * stride]
    frames = F.pad(frames, (0, steps * stride - frames.shape[1]))
    total, weighed = frames.reshape(2, steps, stride).sum(dim=2)
    return torch.where(total > 0, weighed / total, torch.nan)


def brightness_value(hz: Tensor) -> Tensor:
    """Brightness, (...,) Hz, as the values that a prior knows, 1 on; 0 of what is NaN.

    Example:
        >>> brightness_value(torch.tensor([20.0, 125.0, 1000.0, 16000.0, torch.nan])).tolist()
        [1, 5, 17, 33, 0]
    """
    octaves = torch.log2(hz.clamp(DARKEST_HZ, BRIGHTEST_HZ) / DARKEST_HZ)
    values = 1 + (octaves / BRIGHTNESS_STEP_OCTAVES).round()
    return torch.where(hz.isnan(), 0.0, values).long()


def _bands(spectrogram: LogMel) -> tuple[Tensor, Tensor]:
    """The mean frequency of each mel band in Hz, and by what its magnitude becomes that of its part
    of the spectrum, (n_mels, 1) each.
    """
    filters = spectrogram.filters
    hz = torch.linspace(0, spectrogram.config.sample_rate / 2, len(filters))
    area = filters.sum(dim=0).clamp(min=1e-12)
    centres = (hz @ filters / area).cummax(dim=0).values  # narrow bands may have no bin at all
    edges = torch.cat([centres[:1], (centres[1:] + centres[:-1]) / 2, centres[-1:]])
    return centres[:, None], (edges.diff() / area)[:, None]


def _weights(magnitudes: Tensor, widths: Tensor) -> Tensor:
    return torch.where(magnitudes > _SILENT, magnitudes - FLOOR, 0.0) * widths
