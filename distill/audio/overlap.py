"""Spectra to sound: overlapping frames, added."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

_SMALLEST = 1e-11  # of a window's sum, below which nothing can be known


class InverseTransform:
    """What `torch.istft` does, centred, in less than half of its time.

    What depends on the window and the number of frames alone is worked out once, for many passes.

    Args:
        window: (n_fft,) of the transform and its inverse.
        hop_length: from one frame to the next, at most n_fft.
        frames: of the spectra.
        samples: wanted; what lies after the last frame is silence.
    """

    def __init__(self, window: Tensor, hop_length: int, frames: int, samples: int) -> None:
        self._window, self._hop, self._samples = window, hop_length, samples
        self._envelope = self._added((window * window).expand(frames, -1)).clamp(min=_SMALLEST)

    def __call__(self, spectrum: Tensor) -> Tensor:
        """(frames, bins), complex, to (samples,)."""
        rows = torch.fft.irfft(spectrum, len(self._window)) * self._window
        return self._added(rows) / self._envelope

    def _added(self, rows: Tensor) -> Tensor:
        """(frames, n_fft) to (samples,): piece by piece as long as a hop."""
        frames, size = rows.shape
        pieces = -(-size // self._hop)
        padded = F.pad(rows, (0, pieces * self._hop - size)).view(frames, pieces, self._hop)
        whole = rows.new_zeros(frames + pieces - 1, self._hop)
        for piece in range(pieces):
            whole[piece : piece + frames] += padded[:, piece]
        sound = whole.view(-1)[size // 2 : size // 2 + self._samples]
        return F.pad(sound, (0, self._samples - len(sound)))


def squares(spectrum: Tensor) -> Tensor:
    """|z|² of complex numbers that are far from overflow, sooner than `abs` would say it."""
    return (spectrum.real * spectrum.real).addcmul_(spectrum.imag, spectrum.imag)
