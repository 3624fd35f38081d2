from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from distill.config import (
    SpectrogramConfig,
    VQVAEConfig,
    get_adaptive_config,
    get_adaptive_vqvae_config,
)
from distill.errors import ConfigError

calm = settings(deadline=None)  # a busy machine is no failure


@pytest.mark.parametrize(
    ("files", "entries"), [(1, 64), (20, 64), (21, 128), (100, 128), (101, 256), (500, 256)]
)
def test_codebooks_grow_with_the_corpus(files: int, entries: int) -> None:
    assert get_adaptive_vqvae_config(files).codebook_size == entries


@pytest.mark.parametrize(
    ("seconds", "budget_s"), [(0.1, 60), (1.0, 61), (60.0, 120), (240.0, 300), (10_000.0, 300)]
)
def test_the_budget_grows_from_one_to_five_minutes(seconds: float, budget_s: float) -> None:
    assert get_adaptive_vqvae_config(10, seconds).budget_s == budget_s


@pytest.mark.parametrize(("seconds", "batch", "steps"), [(9.9, 16, 20), (10.0, 32, 50)])
def test_a_few_seconds_are_trained_in_small_batches(seconds: float, batch: int, steps: int) -> None:
    config = get_adaptive_vqvae_config(50, seconds)
    assert (config.batch_size, config.min_steps_per_epoch) == (batch, steps)


def test_an_unknown_length_is_guessed_as_two_seconds_a_file() -> None:
    for files in (1, 4, 5, 100):
        guessed = get_adaptive_vqvae_config(files)
        assert guessed == get_adaptive_vqvae_config(files, 2.0 * files)


@calm
@given(files=st.integers(1, 10**6), seconds=st.none() | st.floats(0.01, 1e7))
def test_any_corpus_has_a_config(files: int, seconds: float | None) -> None:
    config = get_adaptive_vqvae_config(files, seconds)
    assert config.max_seconds is not None
    assert 60 <= config.max_seconds <= 300


@pytest.mark.parametrize("budget", [{"max_epochs": 5}, {"max_steps": 5}])
def test_another_budget_takes_the_place_of_time(budget: dict[str, int]) -> None:
    assert get_adaptive_vqvae_config(10, **budget).budget_s is None


def test_every_setting_can_be_overridden() -> None:
    overrides: dict[str, Any] = {
        "codebook_size": 32,
        "batch_size": 3,
        "min_steps_per_epoch": 7,
        "max_seconds": 5.0,
        "spectrogram": SpectrogramConfig.for_rate(8000),
    }
    config = get_adaptive_vqvae_config(10, **overrides)
    assert config == VQVAEConfig(**overrides)


@pytest.mark.parametrize("files", [0, -1, 2.0, True, "3", None])
def test_a_count_that_is_none_is_refused(files: Any) -> None:
    with pytest.raises(ConfigError, match=r"^file_count=.*: expected a whole number of at least 1"):
        get_adaptive_vqvae_config(files)


@pytest.mark.parametrize("seconds", [0, -1.0, math.nan])
def test_a_length_that_is_none_is_refused(seconds: float) -> None:
    with pytest.raises(ConfigError, match=rf"^total_seconds={seconds}: expected a number above 0$"):
        get_adaptive_vqvae_config(3, seconds)


def test_an_unknown_override_is_reported_with_the_nearest() -> None:
    with pytest.raises(
        ConfigError, match=r"^codebok_size: no such setting; did you mean codebook_"
    ):
        get_adaptive_vqvae_config(3, codebok_size=4)


def test_an_override_beyond_its_limits_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^levels=17: expected a whole number from 1 to 16$"):
        get_adaptive_vqvae_config(3, levels=17)


@pytest.mark.parametrize(
    ("files", "dims"), [(1, 16), (20, 16), (21, 24), (100, 24), (101, 32), (500, 32)]
)
def test_latents_of_a_vae_grow_with_the_corpus(files: int, dims: int) -> None:
    assert get_adaptive_config(files).latent_dim == dims
    assert get_adaptive_config(files, latent_dim=5).latent_dim == 5


@calm
@given(files=st.integers(1, 10**6), seconds=st.none() | st.floats(0.01, 1e7))
def test_budget_and_batches_are_the_same_for_both_families(
    files: int, seconds: float | None
) -> None:
    one, other = (
        make(files, seconds).to_dict() for make in (get_adaptive_config, get_adaptive_vqvae_config)
    )
    for name in ("max_seconds", "batch_size", "min_steps_per_epoch"):
        assert one[name] == other[name]
