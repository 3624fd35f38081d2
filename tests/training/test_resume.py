"""Going on equals never having stopped."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile
import torch

from distill import (
    AudioCorpus,
    CheckpointEvent,
    ResumeEvent,
    RunFolder,
    TrainingConfig,
    TrainingFailedEvent,
    TrainingResult,
)
from distill.errors import CheckpointError, CorpusError, RunFolderError, TrainingError
from distill.family import family_of
from distill.training import resume, train
from distill.training.run.checkpoint import list_checkpoints
from distill.training.watch.event_lines import EPOCHS, STEPS, Event
from tests.families import FAMILIES

# What has nothing to do with what is trained, as the engine knows no family.
of_one_family = pytest.mark.parametrize("any_config", FAMILIES[:1], indirect=True)


@pytest.fixture
def config(any_config: TrainingConfig) -> TrainingConfig:
    return dataclasses.replace(any_config, max_steps=17, checkpoint_every_s=0.0)


@pytest.fixture(scope="module")
def trained_once() -> dict[str, TrainingResult]:
    """By family, the run that nobody disturbed; whoever needs it gets a copy."""
    return {}


@pytest.fixture
def undisturbed(
    corpus: AudioCorpus,
    config: TrainingConfig,
    trained_once: dict[str, TrainingResult],
    tmp_path_factory: pytest.TempPathFactory,
    tmp_path: Path,
) -> TrainingResult:
    name = family_of(config).name
    if name not in trained_once:
        run = tmp_path_factory.mktemp(name) / "run"
        trained_once[name] = train(config, corpus, run, "cpu")
    model = trained_once[name].model_path
    shutil.copytree(model.parent, tmp_path / "undisturbed")
    return dataclasses.replace(trained_once[name], model_path=tmp_path / "undisturbed" / model.name)


def story(run: Path) -> list[Event]:
    """The events, without when they happened and without notes of checkpoints."""
    return [
        dataclasses.replace(event, elapsed_s=0.0) if hasattr(event, "elapsed_s") else event
        for event in RunFolder(run).read_events()[0]
        if not isinstance(event, (CheckpointEvent, ResumeEvent))
    ]


def assert_equal_runs(one: TrainingResult, other: TrainingResult) -> None:
    first, second = (result.load().model.state_dict() for result in (one, other))
    for name, value in first.items():
        assert torch.equal(value, second[name]), name
    assert story(one.model_path.parent) == story(other.model_path.parent)


def stopped_at(step: int, config: TrainingConfig, corpus: AudioCorpus, run: Path) -> TrainingResult:
    cancel = threading.Event()

    def callback(event: Event) -> None:
        if isinstance(event, STEPS) and event.step == step:
            cancel.set()

    return train(config, corpus, run, "cpu", callback, cancel)


@pytest.mark.parametrize("step", [0, 3, 4, 11])  # the first, amid, at an epoch's end, later
def test_resuming_after_a_stop_equals_never_having_stopped(
    step: int,
    corpus: AudioCorpus,
    config: TrainingConfig,
    undisturbed: TrainingResult,
    tmp_path: Path,
) -> None:
    stopped = stopped_at(step, config, corpus, tmp_path / "run")
    assert (stopped.reason, stopped.steps) == ("stopped", step + 1)
    resumed = resume(tmp_path / "run")
    assert_equal_runs(resumed, undisturbed)
    previews = [sorted(p.name for p in (tmp_path / name / "previews").iterdir())
                for name in ("run", "undisturbed")]  # fmt: skip
    assert previews[0] == previews[1]


def test_resuming_many_times(
    corpus: AudioCorpus, config: TrainingConfig, undisturbed: TrainingResult, tmp_path: Path
) -> None:
    stopped_at(2, config, corpus, tmp_path / "run")
    for step in (5, 8, 13):
        cancel = threading.Event()

        def callback(event: Event, step: int = step, cancel: threading.Event = cancel) -> None:
            if isinstance(event, STEPS) and event.step == step:
                cancel.set()

        resume(tmp_path / "run", callback, cancel)
    assert_equal_runs(resume(tmp_path / "run"), undisturbed)


@of_one_family
def test_a_resumed_run_reports_only_what_is_new(
    corpus: AudioCorpus, config: TrainingConfig, tmp_path: Path
) -> None:
    stopped_at(6, config, corpus, tmp_path / "run")
    events: list[Event] = []
    result = resume(tmp_path / "run", events.append)
    assert [e.step for e in events if isinstance(e, STEPS)] == list(range(7, 17))
    assert list(result.history.steps["step"]) == list(range(17))


@of_one_family
def test_a_finished_run_is_resumed_with_a_larger_budget(
    corpus: AudioCorpus, config: TrainingConfig, undisturbed: TrainingResult, tmp_path: Path
) -> None:
    run = tmp_path / "undisturbed"
    with pytest.raises(RunFolderError, match="is finished; to go on give it a larger max_epochs"):
        resume(run)
    result = resume(run, max_steps=25)
    assert list(result.history.steps["step"]) == list(range(25))
    assert [epoch.epoch for epoch in result.history.epochs] == list(range(5))
    assert result.steps == 25
    request = RunFolder(run).read_request()
    assert (request["config"]["max_steps"], request["config"]["max_epochs"]) == (25, None)


@of_one_family
def test_a_run_that_is_no_run_or_at_work_is_refused(
    corpus: AudioCorpus, config: TrainingConfig, tmp_path: Path
) -> None:
    with pytest.raises(RunFolderError, match="no run there"):
        resume(tmp_path / "none")
    refused: list[str] = []

    def callback(event: Event) -> None:
        if isinstance(event, STEPS) and event.step == 3:
            with pytest.raises(RunFolderError) as error:
                resume(tmp_path / "run")
            refused.append(str(error.value))

    train(config, corpus, tmp_path / "run", "cpu", callback)
    assert len(refused) == 1 and "another training is running there" in refused[0]


@of_one_family
def test_a_damaged_newest_checkpoint_costs_one_checkpoint(
    corpus: AudioCorpus, config: TrainingConfig, undisturbed: TrainingResult, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    stopped_at(9, config, corpus, run)
    newest = list_checkpoints(run / "checkpoints")[0].path
    newest.write_bytes(newest.read_bytes()[:-100])
    result = resume(run)
    [warning] = [w for w in result.history.warnings if w.kind == "checkpoint"]
    assert f"{newest.name}: truncated or altered" in warning.message
    assert "went back to step-000009.ckpt" in warning.message
    assert not newest.exists() or load_step(newest) != 10
    without = [event for event in story(run) if event != warning]
    assert without == story(tmp_path / "undisturbed")


def load_step(path: Path) -> int:
    return json.loads(path.read_bytes().split(b"\n", 1)[0])["step"]


@of_one_family
def test_no_readable_checkpoint_is_reported(
    corpus: AudioCorpus, config: TrainingConfig, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    stopped_at(9, config, corpus, run)
    for info in list_checkpoints(run / "checkpoints"):
        info.path.write_bytes(info.path.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match="none of its checkpoints can be read"):
        resume(run)


@pytest.fixture
def own_sounds(corpus: AudioCorpus, tmp_path: Path) -> Path:
    folder = tmp_path / "sounds"
    folder.mkdir()
    for file, sound in list(zip(corpus.files, corpus.waveforms, strict=True))[:4]:
        soundfile.write(folder / file.path.name, sound.numpy(), 48_000)
    return folder


@of_one_family
def test_a_missing_sound_is_named_and_putting_it_back_helps(
    own_sounds: Path, config: TrainingConfig, tmp_path: Path
) -> None:
    corpus = AudioCorpus.scan(own_sounds, progress=False)
    stopped_at(4, config, corpus, tmp_path / "run")
    lost = own_sounds / "drum-02.wav"
    data = lost.read_bytes()
    lost.unlink()
    with pytest.raises(CorpusError, match=r"drum-02\.wav: missing since the run began"):
        resume(tmp_path / "run")
    status = RunFolder(tmp_path / "run").read_status()
    assert status is not None and status.state == "stopped"  # as it was
    lost.write_bytes(data)
    (own_sounds / "new.wav").write_bytes(data[:-200])  # is not part of this run
    assert resume(tmp_path / "run").steps == 17


@of_one_family
def test_a_changed_sound_is_named(own_sounds: Path, config: TrainingConfig, tmp_path: Path) -> None:
    corpus = AudioCorpus.scan(own_sounds, progress=False)
    stopped_at(4, config, corpus, tmp_path / "run")
    soundfile.write(own_sounds / "drum-03.wav", torch.randn(9600).numpy() * 0.1, 48_000)
    with pytest.raises(CorpusError, match=r"drum-03\.wav: not the sound it was when the run began"):
        resume(tmp_path / "run")


@of_one_family
def test_other_libraries_are_warned_of(
    corpus: AudioCorpus, config: TrainingConfig, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    stopped_at(4, config, corpus, run)
    request = json.loads((run / "run.json").read_text())
    request["versions"]["torch"] = "1.0"
    (run / "run.json").write_text(json.dumps(request))
    result = resume(run)
    [warning] = [w for w in result.history.warnings if w.kind == "versions"]
    assert f"torch 1.0 → {torch.__version__.split('+')[0]}" in warning.message


OUT_OF_MEMORY = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB"),
    MemoryError(),
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 1 bytes"),
]


@of_one_family
def test_running_out_of_memory_is_reported_and_the_run_can_be_resumed(
    corpus: AudioCorpus,
    config: TrainingConfig,
    undisturbed: TrainingResult,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model_class: Any = family_of(config).build
    real = model_class.forward
    for number, error in enumerate(OUT_OF_MEMORY):  # at the first step, at later ones
        run, calls = tmp_path / f"run-{number}", iter(range(10**6))

        def forward(
            self: torch.nn.Module,
            mel: torch.Tensor,
            *,
            last: int = 4 * number,
            calls: Iterator[int] = calls,
            error: Exception = error,
        ) -> object:
            if self.training and next(calls) == last:
                raise error
            return real(self, mel)

        events: list[Event] = []
        with monkeypatch.context() as patch:
            patch.setattr(model_class, "forward", forward)
            with pytest.raises(TrainingError, match="out of memory: a smaller batch_size"):
                train(config, corpus, run, "cpu", events.append)
        assert isinstance(events[-1], TrainingFailedEvent)
    assert_equal_runs(resume(run), undisturbed)


@of_one_family
def test_a_disk_that_is_full_for_a_while_costs_nothing_but_a_warning(
    corpus: AudioCorpus,
    config: TrainingConfig,
    undisturbed: TrainingResult,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real, full = os.fsync, threading.Event()

    def fsync(descriptor: int) -> None:
        if full.is_set():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(descriptor)

    def callback(event: Event) -> None:
        if isinstance(event, STEPS):
            full.set() if 4 <= event.step < 9 else full.clear()

    monkeypatch.setattr(os, "fsync", fsync)
    result = train(config, corpus, tmp_path / "run", "cpu", callback)
    messages = [w.message for w in result.history.warnings if w.kind == "disk"]
    assert messages and "No space left on device" in messages[0]
    assert [e.step for e in result.history.checkpoints] == [*range(5), *range(10, 18)]

    def trained(run: Path) -> list[Event]:
        return [e for e in story(run) if isinstance(e, (*STEPS, *EPOCHS))]

    assert trained(tmp_path / "run") == trained(tmp_path / "undisturbed")


@of_one_family
def test_time_does_not_run_while_paused_or_away(
    corpus: AudioCorpus, config: TrainingConfig, tmp_path: Path
) -> None:
    first = stopped_at(6, config, corpus, tmp_path / "run")
    result = resume(tmp_path / "run")
    epochs = [e for e in RunFolder(tmp_path / "run").read_events()[0]
              if isinstance(e, EPOCHS)]  # fmt: skip
    times = [event.elapsed_s for event in epochs]
    assert times == sorted(times)
    assert result.elapsed_s > first.elapsed_s * 0.5
