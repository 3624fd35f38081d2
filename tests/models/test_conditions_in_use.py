"""A prior with conditions in use: asked, kept in its file, forged."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from distill import LoadedVQModel, PriorConfig, load_model_v2
from distill.config.conditions import CONDITIONS
from distill.errors import ConfigError, CorruptModelError, PriorError
from distill.models.file.container import read_container, write_container
from distill.models.prior.model import CodePrior
from distill.models.prior.whose import prior_digest
from distill.models.use.recipe import read_recipe
from distill.training import TrainingResult
from tests.priors import random_codes, untrained

KICK, BELL = "kick", 'b{ell} "ö"'
EVIL = f"{BELL}\x1b[2J"


@pytest.fixture
def model(trained: TrainingResult) -> LoadedVQModel:
    """A model with a prior of random weights that can be told of sounds."""
    made = load_model_v2(trained.model_path)
    generator = torch.Generator().manual_seed(3)
    grids = [torch.randint(0, 16, (40, 3), generator=generator) for _ in range(2)]
    prior = untrained(made, *grids, conditions=CONDITIONS, classes=(BELL, KICK))
    for column in prior.module.told.columns:
        torch.nn.init.normal_(column.weight)  # type: ignore[arg-type]
    kinds = prior.config.classes
    sounds = tuple(replace(x, group=k) for x, k in zip(prior.sounds, kinds, strict=True))
    made.use_prior(replace(prior, sounds=sounds))
    return made


def test_it_is_kept_in_its_file(model: LoadedVQModel, tmp_path: Path) -> None:
    again = load_model_v2(model.save(tmp_path / "a.distill"))
    assert again.prior.config == model.prior.config
    assert [sound.group for sound in again.prior.sounds] == list(again.prior.config.classes)
    one, two = (m.generate(0.5, seed=1, classes=KICK, loudness=[-30, 0]) for m in (model, again))
    assert torch.equal(one.indices, two.indices)
    others = [model.generate(0.5, seed=1, **asked) for asked in ({}, {"classes": KICK})]
    assert not any(torch.equal(one.indices, other.indices) for other in others)
    assert json.loads(model.extra["prior"])["version"] == 2
    whole = model.continue_sound(random_codes(model), 0.3, seed=1, classes=KICK)
    assert whole.steps == model.continue_sound(random_codes(model), 0.3, seed=1).steps


def test_variations_and_gaps_are_told_too(model: LoadedVQModel) -> None:
    codes = random_codes(model)

    def vary(**asked: Any) -> torch.Tensor:
        return model.vary(codes, seed=1, **asked).indices

    def fill(**asked: Any) -> torch.Tensor:
        return model.fill(codes, 0.1, 0.3, seed=1, draws=2, **asked).indices

    for make in (vary, fill):
        plain, asked = make(), [{"classes": KICK}, {"classes": BELL}, {"loudness": [-40, 0]}]
        others = [make(**one) for one in asked]
        assert all(
            torch.equal(make(**one), other) for one, other in zip(asked, others, strict=True)
        )
        assert not any(torch.equal(plain, other) for other in others)
        assert not torch.equal(others[0], others[1])
        with pytest.raises(ConfigError, match=r"^2 classes: a sound that is varied or filled has "):
            make(classes=[KICK, BELL])
        with pytest.raises(ConfigError, match=r"^class kock: no such class; did you mean kick"):
            make(classes="kock")
    assert all(torch.equal(vary(loudness=0)[0], row[0]) for row in (vary(), codes.indices))
    first, last = 4, 15  # steps of the gap
    filled = fill(classes=KICK)
    assert torch.equal(filled[:, :first], codes.indices[:, :first])
    assert torch.equal(filled[:, last:], codes.indices[:, last:])


def test_within_a_sound_nothing_is_told_of_begin_and_end(model: LoadedVQModel) -> None:
    prior = model.prior
    within = prior.wanted(KICK, [-40, 0], begin=2, steps=5).within_a_sound
    kick = 1 + prior.config.classes.index(KICK)
    told = [within.values(step, step, 0) for step in range(7)]
    assert [row[0] for row in told] == [kick] * 7
    assert [row[1] > 0 for row in told] == [False, False, True, True, True, False, False]
    assert told[2][1] < told[3][1] < told[4][1]
    assert all(row[2:] == [0, 0] for row in told)
    assert not any(within.ends_at_its_end(step) for step in range(7))
    assert not prior.wanted(begin=2, steps=5).within_a_sound.conditions  # as it always was


@pytest.mark.parametrize(
    "asked",
    [
        {"classes": [KICK, BELL], "loudness": [-30.0, 0.0, -12.5]},
        {"classes": KICK, "loudness": -20, "loop": True},
        {},
    ],
)
def test_a_file_of_such_a_sound_is_made_again_to_the_last_byte(
    model: LoadedVQModel, tmp_path: Path, asked: dict[str, Any]
) -> None:
    model.generate_file(tmp_path / "one.wav", 0.4, seed=4, **asked)
    model.remake_file(tmp_path / "one.wav", tmp_path / "two.wav")
    assert (tmp_path / "one.wav").read_bytes() == (tmp_path / "two.wav").read_bytes()


def test_one_that_was_interrupted_too(model: LoadedVQModel, tmp_path: Path) -> None:
    steps = iter(range(99))
    made = model.generate_file(
        tmp_path / "one.wav", 1.0, seed=4, loudness=[0, -40], stop=lambda: next(steps) == 9
    )
    assert made.seconds < 0.5 and read_recipe(tmp_path / "one.wav").planned_s == 1.0
    again = model.remake_file(tmp_path / "one.wav", tmp_path / "two.wav")
    assert torch.equal(made.indices, again.indices)
    assert (tmp_path / "one.wav").read_bytes() == (tmp_path / "two.wav").read_bytes()


def test_other_names_of_classes_are_another_prior(model: LoadedVQModel) -> None:
    prior = model.prior
    config = replace(prior.config, classes=("a", "b"))
    renamed = replace(prior, module=_with(prior.module, config))
    assert prior_digest(renamed) != prior_digest(prior)


def _with(module: CodePrior, config: PriorConfig) -> CodePrior:
    made = CodePrior(config)
    made.load_state_dict(module.state_dict())
    return made


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            {"classes": "kcik"},
            r"^class kcik: no such class; did you mean kick\? this prior knows b",
        ),
        ({"classes": []}, r"^classes=\[\]: expected a name, or up to 8 of them"),
        ({"classes": "\x1b"}, r"^class \\x1b: no such class; this prior knows b"),
        ({"loudness": "loud"}, r"^loudness='loud': expected a level from -60 to 12 dB beside your"),
        ({"loudness": [0.0] * 33}, r"^loudness=\[0.0, 0.0"),
        ({"loudness": [0.0, float("nan")]}, r"^loudness=\[0.0, nan\]: expected a level"),
        ({"loudness": []}, r"^loudness=\[\]: expected a level"),
    ],
)
def test_what_nobody_knows_is_refused_and_what_there_is_is_named(
    model: LoadedVQModel, asked: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        model.generate(0.2, **asked)


def test_a_level_for_the_whole_of_what_does_not_end_is_one(model: LoadedVQModel) -> None:
    assert next(model.generate_steps(loudness=-9.0, seed=1))
    with pytest.raises(ConfigError, match="several levels are spread over a sound of some length"):
        model.loop(0.5, loudness=[-9.0, 0.0])


@pytest.mark.parametrize("asked", [{"classes": KICK}, {"loudness": -9.0}])
def test_a_prior_without_conditions_says_how_to_train_one_with_them(
    trained: TrainingResult, asked: dict[str, Any]
) -> None:
    model = load_model_v2(trained.model_path)
    model.use_prior(untrained(model, torch.zeros(9, 3, dtype=torch.int32)))
    section = json.loads(model.extra["prior"])
    assert section["version"] == 1 and not {"conditions", "classes"} & set(section["config"])
    [name] = asked
    condition = {"classes": "class"}.get(name, name)
    said = (
        rf"^this prior was trained without the condition '{condition}'; train one with it: distill "
        rf"train-prior MODEL FOLDER --conditions {condition} --overwrite"
    )
    with pytest.raises(PriorError, match=said):
        model.generate(0.2, **asked)


# --- from strangers --------------------------------------------------------------------------


def forged(model: LoadedVQModel, path: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    header, tensors = read_container(model.save(path))
    section = json.loads(header.texts["prior"])
    change(section)
    return write_container(path, tensors, {**header.texts, "prior": json.dumps(section)})


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"classes": ["a"]}, r"are missing, or of another shape"),
        ({"classes": ["a", "a"]}, r"classes: one of them comes twice"),
        ({"classes": ["a", ""]}, r"classes: '': expected a name of 1 to 60 signs"),
        ({"classes": ["a", 5]}, r"config\[\.\.\.\]"),
        ({"classes": ["a"] * 201}, r"config\[\.\.\.\]"),
        ({"classes": 5}, r"classes=5: expected names of folders"),
        ({"conditions": ["colour"]}, r"conditions: 'colour': expected some of class, loudness, p"),
        ({"conditions": []}, r"classes without the condition 'class'"),
        ({"width": ["a"]}, r"width=.*: expected a whole number"),
    ],
)
def test_forged_conditions_are_refused(
    model: LoadedVQModel, tmp_path: Path, config: dict[str, Any], message: str
) -> None:
    path = forged(model, tmp_path / "a.distill", lambda section: section["config"].update(config))
    with pytest.raises(CorruptModelError, match=message):
        _ = load_model_v2(path).prior


def test_forged_classes_of_recordings_are_refused(model: LoadedVQModel, tmp_path: Path) -> None:
    def change(section: dict[str, Any]) -> None:
        section["sounds"][0]["group"] = 3

    path = forged(model, tmp_path / "a.distill", change)
    with pytest.raises(CorruptModelError, match="a recording is of a class that there is not"):
        _ = load_model_v2(path).prior


def test_names_of_classes_reach_no_terminal_raw(model: LoadedVQModel, tmp_path: Path) -> None:
    def change(section: dict[str, Any]) -> None:
        section["config"]["classes"] = [EVIL, KICK]

    path = forged(model, tmp_path / "a.distill", change)
    assert load_model_v2(path).prior.config.classes == (EVIL.replace("\x1b", r"\x1b"), KICK)
