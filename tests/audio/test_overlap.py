"""The inverse transform is torch's."""

from __future__ import annotations

import pytest
import torch

from distill.audio.overlap import InverseTransform, squares


@pytest.mark.parametrize(("n_fft", "hop"), [(2048, 512), (512, 200), (64, 32), (100, 7)])
@pytest.mark.parametrize("samples", [1100, 4096, 9999])
def test_it_is_the_inverse_of_torch(n_fft: int, hop: int, samples: int) -> None:
    window = torch.hann_window(n_fft)
    frames = 1 + samples // hop
    generator = torch.Generator().manual_seed(0)
    spectrum = torch.randn(n_fft // 2 + 1, frames, dtype=torch.complex64, generator=generator)
    expected = torch.istft(spectrum, n_fft, hop, window=window, length=samples)
    made = InverseTransform(window, hop, frames, samples)(spectrum.T)
    torch.testing.assert_close(made, expected, rtol=1e-4, atol=1e-5)


def test_what_lies_after_the_last_frame_is_silence() -> None:
    window = torch.hann_window(64)
    made = InverseTransform(window, 32, 3, 500)(torch.ones(3, 33, dtype=torch.complex64))
    assert made.shape == (500,) and not made[128:].any()


def test_squares_are_those_of_torch() -> None:
    generator = torch.Generator().manual_seed(0)
    numbers = torch.randn(50, 40, dtype=torch.complex64, generator=generator)
    torch.testing.assert_close(squares(numbers), numbers.abs().square())
