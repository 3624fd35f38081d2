"""A prior that is told of recordings: of folders, resumed exactly, old runs as they were."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
import torch

from distill import (
    AudioCorpus,
    Event,
    LoadedVQModel,
    PriorConfig,
    StepMetrics,
    load_model_v2,
    resume,
)
from distill.config.conditions import ALL_CONDITIONS, CONDITIONS
from distill.errors import ConfigError
from distill.models.prior.corpus import as_corpus
from distill.training import TrainingResult
from distill.training.prior import prior_config_for, train_prior
from tests.priors import tiny_prior


@pytest.fixture(scope="module")
def model(trained: TrainingResult) -> LoadedVQModel:
    return load_model_v2(trained.model_path)


@pytest.fixture(scope="module")
def folder(corpus: AudioCorpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings in two folders, and one beside them."""
    place = tmp_path_factory.mktemp("sorted")
    for number, file in enumerate(corpus.files[:7]):
        kind = place / ("kick", "snare", "")[2 if number == 6 else number % 2]
        kind.mkdir(exist_ok=True)
        shutil.copy(file.path, kind)
    return place


def stopped(model: LoadedVQModel, folder: Path, run: Path, config: PriorConfig) -> dict[str, Any]:
    """What run.json says of a training that was stopped after four steps."""
    stop = threading.Event()

    def callback(event: Event) -> None:
        if isinstance(event, StepMetrics) and event.step == 3:
            stop.set()

    assert train_prior(model, folder, run, config, "cpu", callback, stop).steps == 4
    said: dict[str, Any] = json.loads((run / "run.json").read_text())
    return said


def same_weights(one: TrainingResult, two: TrainingResult) -> bool:
    theirs = two.load().prior.module.state_dict()
    ours = one.load().prior.module.state_dict().items()
    return all(torch.equal(weight, theirs[name]) for name, weight in ours)


def test_a_run_that_was_stopped_and_moved_ends_as_if_it_never_had(
    model: LoadedVQModel, folder: Path, corpus: AudioCorpus, tmp_path: Path
) -> None:
    config = tiny_prior(model, max_steps=8, conditions=ALL_CONDITIONS)
    said = stopped(model, folder, tmp_path / "run", config)
    assert said["config"]["classes"] == ["kick", "snare"]
    groups = [entry.get("group") for entry in said["corpus"]]
    assert sorted(map(str, groups)) == ["None", *["kick"] * 3, *["snare"] * 3]
    places = [file.path for file in corpus.files[:7]]  # which lie in no such folders
    resumed = resume(tmp_path / "run", sounds=places)
    whole = train_prior(model, folder, tmp_path / "whole", config, "cpu")
    assert same_weights(resumed, whole)
    one, two = (result.load().prior.sounds for result in (resumed, whole))
    assert {x.name: x.group for x in one} == {x.name: x.group for x in two}
    assert {sound.group for sound in two} >= {"kick", "snare"}
    asked = {"classes": "kick", "loudness": -20, "brightness": [400, 4000]}
    assert resumed.load().generate(0.3, seed=1, **asked).samples == 14_400


def test_a_run_of_an_earlier_version_is_resumed_as_it_was(
    model: LoadedVQModel, folder: Path, tmp_path: Path
) -> None:
    run, config = tmp_path / "run", tiny_prior(model, max_steps=8)
    said = stopped(model, folder, run, config)
    assert said["config"].pop("conditions") == said["config"].pop("classes") == []
    for entry in said["corpus"]:
        entry.pop("group", None)
    (run / "run.json").write_text(json.dumps(said))
    resumed, whole = resume(run), train_prior(model, folder, tmp_path / "whole", config, "cpu")
    assert same_weights(resumed, whole) and resumed.load().prior.config.conditions == ()


def test_settings_that_fit_tell_of_all_that_is_known(
    model: LoadedVQModel, folder: Path, corpus: AudioCorpus
) -> None:
    found = AudioCorpus.scan(folder, progress=False)
    config = prior_config_for(model, found)
    assert (config.conditions, config.classes) == (CONDITIONS, ("kick", "snare"))
    assert prior_config_for(model, corpus).conditions == CONDITIONS[1:]
    assert prior_config_for(model, found, conditions=()).classes == ()
    with pytest.raises(ConfigError, match=r"^conditions: 'class' is the folder that a recording"):
        prior_config_for(model, corpus, conditions=CONDITIONS)
    other = as_corpus(found, 22_050)
    assert [file.group for file in other.files] == [file.group for file in found.files]
    assert other.places == found.places
