"""A run folder that is renamed or deleted while it trains; a resume that cannot begin."""

from __future__ import annotations

import dataclasses
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
import soundfile
import torch

from distill import (
    AudioCorpus,
    RunFolder,
    TrainingFailedEvent,
    TrainingResult,
    TrainingRunner,
    VQStepMetrics,
    VQVAEConfig,
    resume_vqvae,
    train_vqvae,
)
from distill.errors import CorpusError, RunLostError
from distill.training.session.monitor import Monitor
from distill.training.watch.event_lines import Event
from tests.families import tiny

PATIENCE_S = 90
moves = pytest.mark.skipif(os.name == "nt", reason="Windows does not move folders in use")


@pytest.fixture(scope="module")
def config() -> VQVAEConfig:
    return cast(VQVAEConfig, tiny("vqvae", max_steps=17, preview_count=1))


def acting(
    step: int, act: Callable[[], object], noticed: threading.Event
) -> Callable[[Event], None]:
    """A callback that does something at a step, and waits until the trainer has noticed."""

    def callback(event: Event) -> None:
        if isinstance(event, VQStepMetrics) and event.step == step:
            act()
            noticed.wait(5)

    return callback


@pytest.fixture
def noticed(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set once the monitor knows that the folder is lost."""
    seen, beat = threading.Event(), Monitor.beat

    def watched(self: Monitor) -> None:
        beat(self)
        if self.lost:
            seen.set()

    monkeypatch.setattr(Monitor, "beat", watched)
    return seen


@pytest.fixture(scope="module")
def whole(
    corpus: AudioCorpus, config: VQVAEConfig, tmp_path_factory: pytest.TempPathFactory
) -> TrainingResult:
    """The run that nobody moved."""
    return train_vqvae(config, corpus, tmp_path_factory.mktemp("whole") / "run", "cpu")


@moves
@pytest.mark.parametrize("step", [1, 4, 6, 16])  # 4: while it validates
def test_a_moved_run_ends_at_once_and_is_resumed_where_it_is(
    step: int,
    corpus: AudioCorpus,
    config: VQVAEConfig,
    whole: TrainingResult,
    noticed: threading.Event,
    tmp_path: Path,
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    with pytest.raises(RunLostError, match=f"{old}: the run folder was moved to {new} while"):
        train_vqvae(config, corpus, old, "cpu", acting(step, lambda: old.rename(new), noticed))
    assert not old.exists()
    assert RunFolder(new).read_state() == "failed"
    last = RunFolder(new).read_events()[0][-1]
    assert isinstance(last, TrainingFailedEvent) and last.error == "RunLostError"
    result = resume_vqvae(new)
    assert not old.exists()
    assert_equal(result, whole)


def assert_equal(one: TrainingResult, other: TrainingResult) -> None:
    first, second = (result.load().model.state_dict() for result in (one, other))
    for name, value in first.items():
        assert torch.equal(value, second[name]), name
    assert list(one.history.steps["step"]) == list(other.history.steps["step"])


@moves
def test_another_folder_in_its_place_is_left_alone(
    corpus: AudioCorpus, config: VQVAEConfig, noticed: threading.Event, tmp_path: Path
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"

    def exchange() -> None:
        old.rename(new)
        old.mkdir()
        (old / "mine.txt").write_text("mine")

    with pytest.raises(RunLostError, match="was moved to"):
        train_vqvae(config, corpus, old, "cpu", acting(3, exchange, noticed))
    assert [item.name for item in old.iterdir()] == ["mine.txt"]


@moves
def test_a_deleted_run_ends_and_leaves_nothing(
    corpus: AudioCorpus, config: VQVAEConfig, noticed: threading.Event, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    got: list[Event] = []
    act = acting(3, lambda: shutil.rmtree(run), noticed)

    def callback(event: Event) -> None:
        got.append(event)
        act(event)

    with pytest.raises(RunLostError, match="is not there any more: it was deleted, or its disk"):
        train_vqvae(config, corpus, run, "cpu", callback)
    assert list(tmp_path.iterdir()) == []
    assert isinstance(got[-1], TrainingFailedEvent)


@moves
def test_a_runner_reports_it(corpus: AudioCorpus, config: VQVAEConfig, tmp_path: Path) -> None:
    runner = TrainingRunner()
    endless = dataclasses.replace(config, max_steps=1_000_000, checkpoint_every_s=1000.0)
    begun = threading.Event()
    run, new = tmp_path / "run", tmp_path / "new"

    def callback(event: Event) -> None:
        if isinstance(event, VQStepMetrics):
            begun.set()

    runner.start_vqvae(endless, corpus, run, "cpu", callback)
    assert begun.wait(PATIENCE_S)
    run.rename(new)
    with pytest.raises(RunLostError, match=f"{run}: the run folder was moved to {new} while"):
        runner.wait(PATIENCE_S)
    assert not run.exists()
    assert "was moved to" in (new / "worker.log").read_text()
    steps = len([e for e in RunFolder(new).read_events()[0] if isinstance(e, VQStepMetrics)])
    assert resume_vqvae(new, max_steps=steps + 5).steps == steps + 5


@pytest.fixture
def own_sounds(corpus: AudioCorpus, tmp_path: Path) -> Path:
    folder = tmp_path / "sounds"
    folder.mkdir()
    for file, sound in list(zip(corpus.files, corpus.waveforms, strict=True))[:4]:
        soundfile.write(folder / file.path.name, sound.numpy(), 48_000)
    return folder


@pytest.mark.parametrize("backend", ["thread", "process"])
def test_a_finished_run_stays_finished_when_a_resume_cannot_begin(
    backend: str, own_sounds: Path, config: VQVAEConfig, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    result = train_vqvae(config, AudioCorpus.scan(own_sounds, progress=False), run, "cpu")
    log = (run / "events.jsonl").read_bytes()
    (own_sounds / "drum-02.wav").rename(tmp_path / "elsewhere.wav")
    runner = TrainingRunner(backend)  # type: ignore[arg-type]
    runner.resume(run, max_steps=25)
    with pytest.raises(CorpusError, match=r"drum-02\.wav: missing since the run began"):
        runner.wait(PATIENCE_S)
    runner.close()
    assert (run / "events.jsonl").read_bytes() == log
    status = RunFolder(run).read_status()
    assert status is not None
    assert (status.state, status.epoch, status.step) == ("finished", result.epochs, 17)
    [info] = TrainingRunner.list(run.parent)
    assert (info.state, info.step) == ("finished", 17)
    watcher = TrainingRunner.attach(run)
    assert watcher.result == result and watcher.last_error is None
    watcher.close()
    (tmp_path / "elsewhere.wav").rename(own_sounds / "drum-02.wav")
    assert resume_vqvae(run, max_steps=25).steps == 25
