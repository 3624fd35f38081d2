from __future__ import annotations

import json
import re
from typing import Any

import pytest

from distill.config import PriorConfig, VQVAEConfig, get_adaptive_prior_config
from distill.config.conditions import ALL_CONDITIONS, CONDITIONS
from distill.errors import ConfigError
from distill.models.prior.model import CodePrior


@pytest.mark.parametrize("settings", [{}, {"levels": 1}, {"codebook_size": 5000, "latent_dim": 4}])
@pytest.mark.parametrize(
    "told",
    [{}, *({"conditions": x, "classes": ("a", "b")} for x in (CONDITIONS, ALL_CONDITIONS))],
)
def test_its_size_is_known_without_making_it(settings: dict[str, int], told: Any) -> None:
    config = PriorConfig.for_codec(VQVAEConfig(**settings), width=16, layers=2, **told)  # type: ignore[arg-type]
    weights = CodePrior(config).parameters()
    assert sum(weight.numel() for weight in weights) == config.parameters


def test_with_its_defaults_it_is_small() -> None:
    assert 300_000 < PriorConfig().parameters < 2_000_000
    assert PriorConfig().bits_per_step == 48.0


def test_it_comes_back_from_plain_data() -> None:
    for told in ({}, {"conditions": ("position", "class"), "classes": ("a", "b")}):
        config = PriorConfig(width=32, seed=3, **told)  # type: ignore[arg-type]
        assert PriorConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    assert config.conditions == ("class", "position")


def test_settings_that_the_model_decides_are_refused_by_name() -> None:
    said = "levels=2: the model has 6; leave it out, or use get_adaptive_prior_config(model, ...)"
    with pytest.raises(ConfigError, match=re.escape(said)):
        PriorConfig.for_codec(VQVAEConfig(), levels=2)
    with pytest.raises(ConfigError, match=r"^code_dim=128: the model has 8;"):
        PriorConfig().checked_for(VQVAEConfig(latent_dim=8))


def test_the_budget_grows_with_the_corpus() -> None:
    small, large = (get_adaptive_prior_config(VQVAEConfig(), 5, s) for s in (5.0, 10_000.0))
    assert (small.budget_s, large.budget_s) == (65.0, 300.0)
    assert (small.max_steps, large.max_steps) == (300, 2861)  # 25 passes
    learned = get_adaptive_prior_config(VQVAEConfig(), 5, 10_000.0, from_base=True)
    assert learned.max_steps == 1030  # 9 passes
    assert get_adaptive_prior_config(VQVAEConfig(), 5, 240.0, max_seconds=20.0).max_steps == 412
    assert small.batch_size == PriorConfig().batch_size
    assert get_adaptive_prior_config(VQVAEConfig(), 5, batch_size=3, max_steps=4).batch_size == 3


def test_there_are_copies_where_they_are_needed_and_can_be_gone_through() -> None:
    lengths = (1.0, 600.0, 900.0, 1800.0, 1801.0, 1e6)
    configs = [get_adaptive_prior_config(VQVAEConfig(), 5, seconds) for seconds in lengths]
    assert [config.copies for config in configs] == [5, 5, 3, 1, 0, 0]
    assert get_adaptive_prior_config(VQVAEConfig(), 5, 1e6, copies=2).copies == 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"file_count": 0}, "^file_count=0: expected a whole number of at least 1"),
        ({"file_count": 1, "widht": 3}, r"^widht: no such setting; did you mean width\?"),
        (
            {"file_count": 1, "conditions": ("class", "class")},
            "^conditions: 'class': expected so",
        ),
        ({"file_count": 1, "conditions": "class"}, "^conditions='class': expected some of class,"),
        ({"file_count": 1, "conditions": ("pitch",)}, "^conditions: 'pitch': expected some of cla"),
        ({"file_count": 1, "dropout": 1.0}, "^dropout=1.0: expected a number from 0 to 0.9"),
    ],
)
def test_what_is_wrong_is_said(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        get_adaptive_prior_config(VQVAEConfig(), **settings)  # type: ignore[arg-type]
