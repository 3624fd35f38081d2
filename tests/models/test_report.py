from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from distill import LoadedVQModel, VQVAEConfig
from distill.models.use.report import model_facts
from distill.training import TrainingResult


def test_a_model_shows_what_is_known_about_it(trained: TrainingResult) -> None:
    shown = trained.load()._repr_html_()
    for text in (
        "trained",
        "3 levels × 16 entries",
        "562 bit/s",
        "10 files",
        "1 Structure",
        "<svg",
    ):
        assert text in shown, text
    ElementTree.fromstring(f"<div>{shown.replace('<br>', '<br/>')}</div>")


def test_a_bare_model_shows_what_it_is(trained: TrainingResult) -> None:
    shown = LoadedVQModel(trained.load().model)._repr_html_()
    assert "unnamed" in shown and "562 bit/s" in shown
    assert "<svg" not in shown


@pytest.mark.parametrize(
    "odd",
    [
        {"corpus": [1]},
        {"corpus": {"files": 3}},
        {"training": "yes"},
        {"tags": 7},
        {"start": "base"},
        {"start": {"model": 3}},
    ],
)
def test_what_is_said_in_another_form_is_left_out(
    trained: TrainingResult, odd: dict[str, Any]
) -> None:
    config = trained.load().vqvae_config
    assert [name for name, _ in model_facts(config, odd, 10)] == [
        "codes",
        "sound",
        "size",
        "created",
    ]


def test_what_a_model_started_from_is_a_fact() -> None:
    facts = dict(model_facts(VQVAEConfig(), {"start": {"model": "base", "digest": "12"}}, 10))
    assert facts["start"] == "learned on from base"


@pytest.mark.parametrize("odd", ["12", None, [3], {"a": 1}, float("nan"), -1, 10**400, True])
def test_what_a_file_says_in_another_form_is_left_out(odd: object) -> None:
    said = {"files": 3, "seconds": odd}
    trained = {"epochs": 1, "steps": odd, "seconds": 2.0, "best_epoch": 0}
    metadata = {"corpus": said, "training": trained, "created": odd, "tags": odd}
    facts = dict(model_facts(VQVAEConfig(), metadata, 10))
    assert not {"corpus", "training"} & set(facts)
