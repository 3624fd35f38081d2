"""The kernel distance against one worked out pair by pair, and what it says of alike and unlike."""

from __future__ import annotations

import math
import re

import pytest
import torch

from distill.audio.kernel_distance import kernel_distance, mel_statistics
from distill.errors import ShapeError


def naive(ours: list[list[float]], theirs: list[list[float]]) -> float:
    width = median_low(math.dist(a, b) for n, a in enumerate(theirs) for b in theirs[:n])

    def like(a: list[float], b: list[float]) -> float:
        return math.exp(-(math.dist(a, b) ** 2) / (2 * width**2))

    def among(one: list[list[float]]) -> float:
        pairs = [like(a, b) for n, a in enumerate(one) for m, b in enumerate(one) if n != m]
        return sum(pairs) / len(pairs)

    both = [like(a, b) for a in ours for b in theirs]
    return among(ours) + among(theirs) - 2 * sum(both) / len(both)


def median_low(values: object) -> float:
    ordered = sorted(values)  # type: ignore[call-overload]
    return float(ordered[(len(ordered) - 1) // 2])  # as torch has it


def test_it_is_what_is_worked_out_pair_by_pair() -> None:
    generator = torch.Generator().manual_seed(0)
    ours, theirs = torch.randn(5, 3, generator=generator), torch.randn(7, 3, generator=generator)
    expected = naive(ours.double().tolist(), theirs.double().tolist())
    assert kernel_distance(ours, theirs) == pytest.approx(expected)


def test_alike_is_near_0_on_average_and_unlike_is_not() -> None:
    generator = torch.Generator().manual_seed(0)
    alike = [
        kernel_distance(*torch.randn(2, 20, 4, generator=generator).unbind()) for _ in range(50)
    ]
    assert abs(sum(alike) / 50) < 0.01 and min(alike) < 0  # unbiased
    one, other = torch.randn(2, 20, 4, generator=generator).unbind()
    assert 0.5 < kernel_distance(one + 9.0, other) <= 2.0


def test_statistics_are_those_of_each_clip() -> None:
    mel = torch.arange(22.0).reshape(2, 11)
    found = mel_statistics(mel, 4)
    assert found.shape == (2, 4)
    assert found[1].tolist() == pytest.approx([5.5, 16.5, math.sqrt(1.25), math.sqrt(1.25)])
    short = mel_statistics(mel[:, :3], 4)
    assert short.tolist() == [pytest.approx([1.0, 12.0, math.sqrt(2 / 3), math.sqrt(2 / 3)])]


@pytest.mark.parametrize(
    ("ours", "theirs", "said"),
    [
        ((3, 2), (3, 4), "sounds (3, 2) and reference (3, 4): expected"),
        ((3,), (3, 1), "sounds (3,) and reference (3, 1): expected"),
        ((1, 2), (3, 2), "1 and 3 clips: expected two or more of each"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    ours: tuple[int, ...], theirs: tuple[int, ...], said: str
) -> None:
    with pytest.raises(ShapeError, match=re.escape(said)):
        kernel_distance(torch.zeros(ours), torch.zeros(theirs))
    with pytest.raises(ShapeError, match=r"^log_mel \(2, 0\): expected \(n_mels, frames\)"):
        mel_statistics(torch.zeros(2, 0), 4)
