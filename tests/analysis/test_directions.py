"""Directions are named by what they do: here, of a synthesiser whose controls are known."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from distill import ConvVAE, Latents, LoadedVAE, SpectrogramConfig, VAEConfig
from distill.analysis.latent.directions import (
    CLEAR,
    NO_EFFECT,
    Direction,
    Effect,
    principal_directions,
)
from distill.errors import ConfigError, LatentsError

RATE = 16_000
VARIANCES = [1.0, 4.0, 2.0, 3.0]


class Synthesiser(LoadedVAE):
    """Dimension 0 does nothing, 1 the level, 2 the pitch, 3 (downwards) noise."""

    def __init__(self) -> None:
        spectrogram = dataclasses.replace(SpectrogramConfig.for_rate(RATE), n_mels=16)
        config = VAEConfig(width=8, latent_dim=4, spectrogram=spectrogram)
        super().__init__(ConvVAE(config).eval())
        self.model.statistics.second.copy_(torch.diag(torch.tensor(VARIANCES)))
        self.model.statistics.lagged.copy_(0.9 * torch.diag(torch.tensor(VARIANCES)))

    def decode(self, encoded: Latents, *, force: bool = False) -> tuple[Tensor, int]:
        _, level, pitch, quiet = encoded.values.mean(axis=1)
        time = np.arange(encoded.samples) / RATE
        tone = np.sin(2 * np.pi * 300 * 2 ** (pitch / 8) * time)
        noise = np.random.default_rng(0).normal(size=len(time))
        share = 1 / (1 + math.exp(quiet + 3))
        sound = (1 - share) * tone + share * noise
        sound = sound / np.sqrt(np.square(sound).mean()) * 0.05 * 10 ** (level * 3 / 20)
        return torch.from_numpy(sound.astype(np.float32)), RATE


@pytest.fixture(scope="module")
def model() -> Synthesiser:
    return Synthesiser()


@pytest.fixture(scope="module")
def directions(model: Synthesiser) -> tuple[Direction, ...]:
    return principal_directions(model, 10)


def test_directions_are_those_of_largest_variance(directions: tuple[Direction, ...]) -> None:
    assert len(directions) == 4
    places = [int(np.abs(direction.vector).argmax()) for direction in directions]
    assert places == [1, 3, 2, 0]
    for direction, variance in zip(directions, sorted(VARIANCES)[::-1], strict=True):
        assert np.linalg.norm(direction.vector) == pytest.approx(math.sqrt(variance), rel=1e-5)
        assert direction.share == pytest.approx(variance / 10, rel=1e-5)


def test_each_is_named_by_what_it_does(directions: tuple[Direction, ...]) -> None:
    level, noise, pitch, nothing = directions
    assert [one.main.measure if one.main else None for one in (level, noise, pitch)] == [
        "loudness",
        "noisiness",
        "pitch",
    ]
    assert nothing.name == NO_EFFECT and nothing.main is None


def test_the_figure_is_the_change_in_a_unit_that_ears_know(
    directions: tuple[Direction, ...],
) -> None:
    level, _, pitch, nothing = directions
    assert level.main and level.main.change == pytest.approx(3 * 2.0, abs=0.01)
    assert level.name.startswith("loudness +6 dB (")
    assert pitch.main and pitch.main.change == pytest.approx(12 / 8 * math.sqrt(2), abs=0.1)
    assert pitch.main.unit == "semitones"
    assert [effect.change for effect in nothing.effects] == pytest.approx([0, 0, 0, 0], abs=1e-9)


def test_a_direction_leads_to_where_its_measure_grows(directions: tuple[Direction, ...]) -> None:
    level, noise, pitch, _ = directions
    assert level.vector[1] > 0 and pitch.vector[2] > 0
    assert noise.vector[3] < 0 and noise.main and noise.main.change > 0


def test_directions_may_come_from_sounds_of_ones_own(model: Synthesiser) -> None:
    values = np.random.default_rng(0).normal(size=(20, 4, 200)).cumsum(axis=2) / 10
    values[:, [0, 2, 3]] *= 0.05
    step_s = 1 / model.config.step_rate_hz
    sounds = [Latents(row, step_s, RATE, RATE, made_by=model.digest) for row in values]
    first = principal_directions(model, 1, sounds=sounds)[0]
    assert first.main and first.main.measure == "loudness"
    pooled = np.concatenate(list(values), axis=1)
    own, vectors = np.linalg.eigh(np.cov(pooled))
    assert first.share == pytest.approx(own[-1] / own.sum(), rel=1e-4)
    assert abs(float(first.vector @ vectors[:, -1])) == pytest.approx(math.sqrt(own[-1]), rel=1e-3)


def test_a_sound_is_moved_at_all_its_steps_alike(
    model: Synthesiser, directions: tuple[Direction, ...]
) -> None:
    sound = model.sample(1, 0.5)[0]
    moved = directions[0].moved(sound, -1.5)
    expected = sound.values - 1.5 * directions[0].vector[:, None]
    assert moved.values == pytest.approx(expected, abs=1e-5)
    assert (moved.samples, moved.made_by) == (sound.samples, sound.made_by)
    assert directions[0].moved(sound, 0).values.tolist() == sound.values.tolist()
    with pytest.raises(ValueError, match="read-only"):
        directions[0].vector[0] = 1


@pytest.mark.parametrize("amount", [float("nan"), "far", None, 1e9])
def test_an_amount_that_is_none_is_refused(
    model: Synthesiser, directions: tuple[Direction, ...], amount: Any
) -> None:
    with pytest.raises(LatentsError, match=r"^amount=.*: expected a number of standard deviations"):
        directions[0].moved(model.sample(1, 0.1)[0], amount)


def test_latents_of_other_dimensions_are_refused(directions: tuple[Direction, ...]) -> None:
    other = Latents(np.zeros((3, 5)), 0.01, 100, RATE)
    with pytest.raises(LatentsError, match=r"^latents of 3 dimensions; this direction has 4$"):
        directions[0].moved(other, 1)


def test_what_cannot_be_asked_is_refused(model: Synthesiser) -> None:
    with pytest.raises(ConfigError, match=r"^count=0: expected a whole number of at least 1$"):
        principal_directions(model, 0)
    with pytest.raises(ConfigError, match=r"^2 sounds: expected at least 3$"):
        principal_directions(model, sounds=model.sample(2))
    theirs = [dataclasses.replace(one, made_by="0" * 64) for one in model.sample(3)]
    with pytest.raises(LatentsError, match=r"^latents of the model"):
        principal_directions(model, sounds=theirs)


def effect(standard: float, *, clear: bool, measure: str = "loudness") -> Effect:
    return Effect(measure, "dB", 10 * standard, standard, clear)


def test_the_clearest_effect_names_a_direction_and_an_unclear_one_never() -> None:
    effects = (
        effect(3.0, clear=False),
        effect(0.3, clear=True, measure="brightness"),
        effect(-0.5, clear=True, measure="noisiness"),
    )
    assert Direction(np.zeros(2), 0.5, effects).name == "noisiness -5 dB (0.5 sd)"
    assert Direction(np.zeros(2), 0.5, effects[:1]).name == NO_EFFECT
    assert 0 < CLEAR < 1
