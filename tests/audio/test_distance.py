from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from distill.audio.distance import SEVEN_SCALES, mel_distance, stft_distance
from distill.audio.io import read_audio
from distill.errors import ShapeError

Distance = Callable[[Tensor, Tensor], float]


def _mel(one: Tensor, other: Tensor) -> float:
    return mel_distance(one, other, 16_000)


@pytest.fixture
def pair() -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(0)
    sound = torch.sin(torch.arange(8000) * 0.2) * torch.linspace(1, 0, 8000) ** 2
    return sound, 0.7 * sound + 0.02 * torch.randn(8000, generator=random)


def test_seven_scales_are_those_of_the_paper() -> None:
    assert [window for _, window in SEVEN_SCALES] == [32, 64, 128, 256, 512, 1024, 2048]
    assert [mels for mels, _ in SEVEN_SCALES] == [5, 10, 20, 40, 80, 160, 320]


@pytest.mark.parametrize("distance", [_mel, stft_distance])
def test_a_distance_is_zero_to_itself_and_the_same_both_ways(
    distance: Distance, pair: tuple[Tensor, Tensor]
) -> None:
    one, other = pair
    assert distance(one, one) == 0
    assert distance(one, other) == pytest.approx(distance(other, one))
    assert distance(one, other) > 0.1


@pytest.mark.parametrize("distance", [_mel, stft_distance])
def test_more_noise_is_farther(distance: Distance, pair: tuple[Tensor, Tensor]) -> None:
    sound, _ = pair
    noise = torch.randn(8000, generator=torch.Generator().manual_seed(1))
    found = [distance(sound, sound + level * noise) for level in (0.001, 0.01, 0.1, 1.0)]
    assert found == sorted(found)
    assert len(set(found)) == 4


@pytest.mark.parametrize("distance", [_mel, stft_distance])
@pytest.mark.parametrize("samples", [1, 100, 1025])
def test_short_sounds_have_a_distance(distance: Distance, samples: int) -> None:
    sound = torch.ones(samples)
    assert distance(sound, sound) == 0
    assert 0 < distance(sound, -0.1 * sound) < 100


@pytest.mark.parametrize("distance", [_mel, stft_distance])
@pytest.mark.parametrize("shapes", [((8,), (9,)), ((2, 8), (2, 8)), ((0,), (0,)), ((), ())])
def test_other_shapes_are_refused(
    distance: Distance, shapes: tuple[tuple[int, ...], tuple[int, ...]]
) -> None:
    one, other = map(torch.zeros, shapes)
    expected = r"^reference \(.*\) and estimate \(.*\): expected two mono waveforms \(samples,\) of"
    with pytest.raises(ShapeError, match=expected):
        distance(one, other)


def test_the_shapes_found_are_named() -> None:
    with pytest.raises(ShapeError, match=r"reference \(8,\) and estimate \(9,\): expected"):
        stft_distance(torch.zeros(8), torch.zeros(9))


def test_a_drum_is_nearer_to_itself_at_8_bits_than_to_another_drum(shared_data: Path) -> None:
    sounds = []
    for name in ("drum_snare_hard", "drum_cowbell"):
        sound, _ = read_audio(shared_data / "sonic_pi" / f"{name}.flac", 16_000)
        sounds.append(sound[:5000] / sound.abs().max())
    coarse = (sounds[0] * 128).round() / 128
    assert _mel(sounds[0], coarse) < _mel(sounds[0], sounds[1])
    assert stft_distance(sounds[0], coarse) < stft_distance(sounds[0], sounds[1])
