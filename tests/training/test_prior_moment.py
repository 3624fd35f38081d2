"""The prior of a run as it is at this moment: new sounds while it learns, and after that."""

from __future__ import annotations

import dataclasses
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from distill import (
    AudioCorpus,
    LoadedVQModel,
    RunFolder,
    TrainingRunner,
    load_model_v2,
    train_prior,
)
from distill.errors import RunFolderError
from distill.training import TrainingResult
from distill.training.run.layout import WEIGHTS
from distill.training.watch.events import EpochMetrics, StepMetrics
from tests.priors import tiny_prior
from tests.training.test_trying import PATIENCE_S, ask, story


@pytest.fixture(scope="module")
def model(trained: TrainingResult) -> LoadedVQModel:
    return load_model_v2(trained.model_path)


@pytest.fixture
def runner(model: LoadedVQModel, corpus: AudioCorpus, tmp_path: Path) -> Iterator[TrainingRunner]:
    """Learns a prior until the test is over, in a thread."""
    made = TrainingRunner("thread")
    config = tiny_prior(model, max_steps=1_000_000)
    made.start_prior(model, corpus, tmp_path / "run", config, "cpu")
    ends = time.monotonic() + PATIENCE_S
    while made.history.step_count < 3:
        assert time.monotonic() < ends
        time.sleep(0.02)
    yield made
    if made.is_running:
        made.stop(now=True)
        made.wait(PATIENCE_S)
    made.close()


def test_it_makes_sounds_while_it_learns_and_those_that_are_kept_once_it_has_ended(
    runner: TrainingRunner, model: LoadedVQModel
) -> None:
    early = runner.present_weights(PATIENCE_S)
    assert early.instead == "" and early.step >= 3
    assert isinstance(early.model, LoadedVQModel) and early.model.digest == model.digest
    codes = early.model.generate(0.3, seed=1)
    assert early.model.prior.shared_run(codes).seconds >= 0
    runner.pause()
    late = runner.present_weights(PATIENCE_S)
    assert late.step > early.step
    runner.stop()
    runner.wait(PATIENCE_S)
    kept = runner.present_weights()
    best = runner.history.best
    assert kept.instead == "the run is stopped"
    assert (kept.epoch, kept.step) == (best.epoch, best.step)
    result = runner.result
    assert result is not None
    sound = result.load().generate(0.3, seed=1).indices
    assert torch.equal(kept.model.generate(0.3, seed=1).indices, sound)
    assert all(one.model.metadata == model.metadata for one in (early, late, kept))


def test_learning_with_questions_equals_learning_without_to_the_last_bit(
    model: LoadedVQModel, corpus: AudioCorpus, tmp_path: Path
) -> None:
    config = tiny_prior(model, max_steps=12)
    copies: list[Path] = []

    def ask_often(event: object) -> None:
        if isinstance(event, StepMetrics) and event.step in (2, 7):
            ask(tmp_path / "asked")
        if isinstance(event, StepMetrics) and event.step in (3, 8):  # written before this step
            copies.append(tmp_path / f"{event.step}.safetensors")
            shutil.copy(tmp_path / "asked" / WEIGHTS, copies[-1])

    asked = train_prior(model, corpus, tmp_path / "asked", config, "cpu", ask_often)
    alone = train_prior(model, corpus, tmp_path / "alone", config, "cpu")
    first, second = (result.load().prior.module.state_dict() for result in (asked, alone))
    assert all(torch.equal(first[name], second[name]) for name in second)
    assert story(tmp_path / "asked") == story(tmp_path / "alone")
    early, late = (load_model_v2(path).prior for path in copies)
    assert early.sounds[0].name == late.sounds[0].name and early.usual == alone.load().prior.usual
    weights = zip(early.module.parameters(), late.module.parameters(), strict=True)
    assert any(not torch.equal(one, other) for one, other in weights)
    assert not (tmp_path / "asked" / WEIGHTS).exists()  # its moment is over


def test_before_it_learns_it_says_that_nothing_is_kept_yet(
    model: LoadedVQModel, corpus: AudioCorpus, tmp_path: Path
) -> None:
    config = dataclasses.replace(tiny_prior(model), max_steps=4)
    run = train_prior(model, corpus, tmp_path / "run", config, "cpu").model_path.parent
    assert any(isinstance(event, EpochMetrics) for event in RunFolder(run).read_events()[0])
    (run / "model.distill").unlink()
    with pytest.raises(RunFolderError, match=r"^the run is finished, and no weights are kept yet"):
        TrainingRunner.attach(run).present_weights()


def test_a_better_epoch_that_no_file_was_written_for_is_not_said_of_the_one_that_is_kept(
    model: LoadedVQModel, corpus: AudioCorpus, tmp_path: Path
) -> None:
    run = train_prior(model, corpus, tmp_path / "run", tiny_prior(model, max_steps=8), "cpu")
    best = run.history.best
    log = run.model_path.with_name("events.jsonl")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    later = [line for line in lines if line["event"] == "EpochMetrics"][-1]
    later |= {"epoch": later["epoch"] + 1, "step": later["step"] + 99, "is_best": True}
    with log.open("a") as file:
        file.write(json.dumps(later) + "\n")
    assert RunFolder(log.parent).read_events()[0][-1].step == later["step"]
    kept = TrainingRunner.attach(log.parent).present_weights()
    assert (kept.epoch, kept.step) == (best.epoch, best.step)
