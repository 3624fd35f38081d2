"""The section of a prior: nothing of it is believed, and what is written can be read again."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from distill import LoadedVQModel, load_model_v2
from distill.errors import ConfigError, CorruptModelError, ModelFileError
from distill.models.file.container import read_container, write_container
from distill.models.prior.health import PriorHealth
from distill.models.prior.model import CodePrior
from distill.models.prior.room import check_recordings, check_tensors_size
from distill.models.prior.section import prior_fact
from distill.models.prior.sounds import CodedSound
from distill.models.prior.usual import UsualRuns
from distill.training import TrainingResult
from tests.priors import random_codes, untrained

EVIL, SHOWN = "evil\x1b[2J\nline", r"evil\x1b[2J\nline"


@pytest.fixture
def model(trained: TrainingResult) -> LoadedVQModel:
    made = load_model_v2(trained.model_path)
    made.use_prior(untrained(made, torch.zeros(40, 3, dtype=torch.int32)))
    return made


def forged(model: LoadedVQModel, path: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    header, tensors = read_container(model.save(path))
    section = json.loads(header.texts["prior"])
    change(section)
    return write_container(path, tensors, {**header.texts, "prior": json.dumps(section)})


def test_settings_of_a_large_prior_take_no_memory_before_its_weights_are_there(
    model: LoadedVQModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def large(section: dict[str, Any]) -> None:
        section["config"].update(width=2048, layers=8)

    built: list[str] = []
    before = CodePrior.__init__

    def noted(self: CodePrior, *args: Any) -> None:
        built.append(str(torch.empty(0).device))
        before(self, *args)

    monkeypatch.setattr(CodePrior, "__init__", noted)
    path = forged(model, tmp_path / "a.distill", large)
    with pytest.raises(CorruptModelError, match="'begin' are missing, or of another shape"):
        _ = load_model_v2(path).prior
    assert built == ["meta"]


def test_names_in_it_reach_no_terminal_raw(model: LoadedVQModel, tmp_path: Path) -> None:
    row = {"level": 0, "entries": 16, "codes": 9, "bits": 1.0, "singles": None, "pairs": None}

    def evil(section: dict[str, Any]) -> None:
        section["sounds"][0]["name"] = EVIL + "x" * 900
        section["codec_name"] = EVIL
        section["health"] = [{**row, "label": EVIL}]
        section["loss_curves"] = {EVIL: [1.0]}

    prior = load_model_v2(forged(model, tmp_path / "a.distill", evil)).prior
    name = prior.sounds[0].name
    assert name.startswith(SHOWN + "xxx") and len(name) == 200
    assert (prior.codec_name, prior.health[0].label) == (SHOWN, SHOWN)
    assert list(prior.loss_curves) == [SHOWN]


def test_another_version_is_said_shortly_with_the_name_of_the_file(
    model: LoadedVQModel, tmp_path: Path
) -> None:
    def newer(section: dict[str, Any]) -> None:
        section["version"] = "\x1b" * 100_000

    path = forged(model, tmp_path / "a.distill", newer)
    with pytest.raises(ModelFileError, match=r"^a\.distill: its prior is of version '") as raised:
        _ = load_model_v2(path).prior
    assert len(str(raised.value)) < 200
    assert len(prior_fact(read_container(path)[0].texts["prior"], None)) <= 200


def test_weights_that_are_no_numbers_are_said_with_the_name_of_the_file(
    model: LoadedVQModel, tmp_path: Path
) -> None:
    model.other_tensors["prior.begin"][0] = float("nan")
    path = model.save(tmp_path / "a.distill")
    with pytest.raises(CorruptModelError, match=r"^a\.distill: prior: the tensor 'begin' holds"):
        _ = load_model_v2(path).prior


def test_as_many_recordings_as_are_allowed_are_read_again(
    model: LoadedVQModel, tmp_path: Path
) -> None:
    check_recordings(["kick.wav"] * 74_000, 5)
    names = ["[[[[[[[{{{{{{{"] * 9000  # each bracket counts as a part of the header
    check_recordings(names, 5)
    grid = torch.zeros(1, 3, dtype=torch.int32)
    model.use_prior(replace(model.prior, sounds=tuple(CodedSound(name, (grid,)) for name in names)))
    again = load_model_v2(model.save(tmp_path / "a.distill")).prior
    assert [sound.name for sound in again.sounds] == names


@pytest.mark.parametrize(
    "names", [["kick.wav"] * 100_001, ["[[[[[[[[[[[[[[[[[[[[[[["] * 10_000, ["音" * 200] * 20_000]
)
def test_recordings_that_no_file_can_name_are_refused_before_anything_is_learned(
    names: list[str],
) -> None:
    message = rf"^a prior of {len(names)} recordings: .*: learn from fewer recordings, or join"
    with pytest.raises(ConfigError, match=message):
        check_recordings(names, 5)


def test_codes_that_no_file_can_hold_are_refused(model: LoadedVQModel) -> None:
    hours = torch.zeros(1, 3, dtype=torch.int32).expand(200_000_000, 3)  # in the memory of a step
    sounds = [CodedSound("day.wav", (hours, hours))]
    with pytest.raises(ConfigError, match=r" and 1200000000 codes takes \d+ bytes; the file of a"):
        check_tensors_size(sounds, model.prior.config)


def test_what_is_long_is_cut_so_that_it_is_read_again(model: LoadedVQModel, tmp_path: Path) -> None:
    grid = torch.zeros(3, 3, dtype=torch.int32)
    model.use_prior(
        replace(
            model.prior,
            codec_name=EVIL * 90,
            sounds=(CodedSound("x" * 2000, (grid,)),),
            health=(PriorHealth(0, "y" * 90, 16, 9, 1.0),),
            loss_curves={"codes": [float(x) for x in range(25_000)], "ends": [float("nan")]},
        )
    )
    again = load_model_v2(model.save(tmp_path / "a.distill")).prior
    assert again.sounds[0].name == "x" * 199 + "…" and len(again.health[0].label) == 40
    assert again.loss_curves["codes"][:3] == [0.0, 3.0, 6.0]
    assert len(again.loss_curves["codes"]) == 8334 and len(again.loss_curves["ends"]) == 1


def test_what_is_usual_is_kept_and_of_earlier_files_is_of_any_length(
    model: LoadedVQModel, tmp_path: Path
) -> None:
    usual = UsualRuns((0.2, 0.1), (0.05, 0.01), 2.0)
    model.use_prior(replace(model.prior, usual=usual))
    assert load_model_v2(model.save(tmp_path / "a.distill")).prior.usual == usual

    def earlier(section: dict[str, Any]) -> None:
        del section["usual_doubling_s"], section["usual_length_s"]

    found = load_model_v2(forged(model, tmp_path / "b.distill", earlier)).prior.usual
    assert found.of_length(99.0) == found.seconds == (0.2, 0.1)
    codes = random_codes(model, 400)
    model.use_prior(replace(model.prior, usual=UsualRuns((0.2, 0.1), (0.05, 0.01), 0.1)))
    run = model.prior.shared_run(codes)
    assert run.usual_s > 0.3 and "as long would share" in str(replace(run, steps=9))


def test_what_could_not_be_read_again_is_not_written(model: LoadedVQModel) -> None:
    grids = (torch.zeros(1, 3, dtype=torch.int32),) * 17
    for sounds in ((CodedSound("a.wav", grids),), ()):
        with pytest.raises(
            ConfigError, match=r"^a prior that could not be read again: prior: sounds"
        ):
            model.use_prior(replace(model.prior, sounds=sounds))
