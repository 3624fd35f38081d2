"""Presets: names for settings that belong together, and exactly what they cost."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from distill.config import TrainingConfig, VAEConfig, VQVAEConfig, get_adaptive_vqvae_config
from distill.errors import ConfigError

RATES = {"draft": 750.0, "balanced": 1125.0, "fine": 3000.0, "finest": 6000.0}


def test_presets_go_from_few_bits_to_many() -> None:
    assert list(VQVAEConfig.presets) == list(RATES)
    assert list(RATES.values()) == sorted(RATES.values())


@settings(deadline=None)
@given(
    name=st.sampled_from(sorted(RATES)),
    files=st.integers(1, 10**6),
    seconds=st.none() | st.floats(0.01, 1e7),
    steps=st.none() | st.integers(1, 10**6),
)
def test_a_preset_costs_the_same_whatever_the_corpus(
    name: str, files: int, seconds: float | None, steps: int | None
) -> None:
    config = get_adaptive_vqvae_config(files, seconds, preset=name, max_steps=steps)
    assert config.bits_per_second == RATES[name]
    assert config == VQVAEConfig.from_dict(config.to_dict())
    alone = VQVAEConfig(**VQVAEConfig.preset(name))
    assert alone.bits_per_second == RATES[name]
    for levels in range(1, config.levels + 1):
        assert config.bits_per_second_of(levels) == RATES[name] * levels / config.levels
    without: dict[str, Any] = get_adaptive_vqvae_config(files, seconds, max_steps=steps).to_dict()
    assert {**without, **VQVAEConfig.presets[name]} == config.to_dict()


def test_a_setting_beside_a_preset_wins() -> None:
    config = get_adaptive_vqvae_config(10, preset="fine", levels=4)
    assert (config.levels, config.codebook_size) == (4, 256)


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        (VQVAEConfig, "best", "'best': no such preset; known: draft, balanced, fine, finest"),
        (VQVAEConfig, "", "'': no such preset; known: draft, balanced, fine, finest"),
        (VAEConfig, "fine", "'fine': no such preset; this family has none"),
    ],
)
def test_a_preset_that_nobody_knows_is_named(
    kind: type[TrainingConfig], name: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=f"^preset={message}$"):
        kind.preset(name)


def test_nobody_changes_a_preset() -> None:
    VQVAEConfig.preset("fine")["levels"] = 1
    assert VQVAEConfig.preset("fine")["levels"] == 8
    with pytest.raises(TypeError):
        VQVAEConfig.presets["fine"] = {}  # type: ignore[index]
