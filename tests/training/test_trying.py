"""A sound of one's own through the weights of the moment, while they are learned."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile
import torch

from distill import (
    AudioCorpus,
    RunFolder,
    TrainingConfig,
    TrainingResult,
    TrainingRunner,
    mel_distance,
    stft_distance,
)
from distill.errors import (
    AudioFileError,
    ConfigError,
    ForeignEntryError,
    ModelTypeError,
    RunFolderError,
)
from distill.models.file.info import read_model_info
from distill.models.use.loading import load_model
from distill.models.use.workers import in_one_thread
from distill.own_folder import OwnFolder
from distill.training import present_weights as module, train, trying
from distill.training.present_weights import present_weights
from distill.training.run import states
from distill.training.run.control import change_control
from distill.training.run.layout import MODEL, WEIGHTS
from distill.training.run.preparation import begin_run
from distill.training.run.request import RunRequest
from distill.training.run.status import RunStatus
from distill.training.run.writer import hold_run
from distill.training.session.monitor import Monitor
from distill.training.tasks.preview import PreviewSound, with_floor
from distill.training.trying import try_sound
from distill.training.watch.event_lines import STEPS, Event
from distill.training.watch.events import PreviewPair
from distill.training.watch.preview_distances import distances_of
from tests.priors import tiny_prior

PATIENCE_S = 90
RATE = 48_000
SOUND = torch.sin(torch.arange(RATE // 4) * 0.05) * 0.3


def story(run: Path) -> list[Event]:
    """The events of a run, without times."""
    return [
        dataclasses.replace(event, elapsed_s=0.0) if hasattr(event, "elapsed_s") else event
        for event in RunFolder(run).read_events()[0]
    ]


def ask(run: Path) -> None:
    """Asks a trainer for its weights, and returns once it has received that."""
    serial = change_control(run, weights=True)
    ends = time.monotonic() + PATIENCE_S
    while True:
        status = RunFolder(run).read_status()
        if status is not None and status.acknowledged >= serial:
            return
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_training_with_tries_equals_training_without_to_the_last_bit(
    any_config: TrainingConfig, corpus: AudioCorpus, tmp_path: Path
) -> None:
    config = dataclasses.replace(any_config, checkpoint_every_s=86_400.0)
    copies: dict[int, Path] = {}

    def try_often(event: Event) -> None:
        if isinstance(event, STEPS) and event.step in (2, 5):
            ask(tmp_path / "tried")
        if isinstance(event, STEPS) and event.step in (3, 6):  # written before this step
            copies[event.step] = tmp_path / f"{event.step}.safetensors"
            shutil.copy(tmp_path / "tried" / WEIGHTS, copies[event.step])

    tried = train(config, corpus, tmp_path / "tried", "cpu", try_often)
    alone = train(config, corpus, tmp_path / "alone", "cpu")
    first, second = (result.load().model.state_dict() for result in (tried, alone))
    assert all(torch.equal(first[name], second[name]) for name in second)
    assert story(tmp_path / "tried") == story(tmp_path / "alone")
    assert {read_model_info(path).metadata["training"]["steps"] for path in copies.values()} == {
        3, 6,
    }  # fmt: skip
    early, late = (load_model(path).weights for path in copies.values())
    assert early.keys() == second.keys()
    assert any(not torch.equal(early[name], late[name]) for name in early)
    assert not (tmp_path / "tried" / WEIGHTS).exists()  # its moment is over


@pytest.fixture
def runner(
    any_config: TrainingConfig, corpus: AudioCorpus, tmp_path: Path
) -> Iterator[TrainingRunner]:
    """Trains until the test is over, in a thread."""
    made = TrainingRunner("thread")
    endless = dataclasses.replace(any_config, max_steps=1_000_000)
    made.start(endless, corpus, tmp_path / "run", "cpu")
    ends = time.monotonic() + PATIENCE_S
    while made.history.step_count < 3:
        assert time.monotonic() < ends
        time.sleep(0.02)
    yield made
    if made.is_running:
        made.stop(now=True)
        made.wait(PATIENCE_S)
    made.close()


def test_a_sound_is_tried_while_it_trains_while_it_is_paused_and_when_it_has_ended(
    runner: TrainingRunner, tmp_path: Path
) -> None:
    tried = runner.try_sound(SOUND, RATE, patience_s=PATIENCE_S)
    assert tried.weights.instead == "" and tried.weights.step >= 3
    assert str(tried.weights) == f"weights after step {tried.weights.step:,}"
    assert tried.original.shape == tried.made.shape == (len(SOUND),)
    assert (tried.sample_rate, tried.seconds) == (RATE, 0.25)
    assert tried.distances.startswith("mel ") and "floor" in tried.distances
    runner.pause()
    again = runner.try_sound(SOUND, RATE, patience_s=PATIENCE_S)
    assert again.weights.instead == "" and again.weights.step >= tried.weights.step
    runner.stop()
    runner.wait(PATIENCE_S)
    kept = runner.try_sound(SOUND, RATE)
    assert kept.weights.instead == "the run is stopped"
    assert str(kept.weights).startswith("kept weights of epoch ")
    model = load_model(tmp_path / "run" / MODEL)
    made = in_one_thread(lambda: model.reconstruct(SOUND, RATE)[0])  # several add up otherwise
    assert torch.equal(kept.made, made)


def test_a_full_disk_ends_no_training(
    runner: TrainingRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = OwnFolder.write

    def full(self: OwnFolder, name: str, **options: Any) -> Any:
        if name == WEIGHTS:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(self, name, **options)

    with monkeypatch.context() as patch:
        patch.setattr(OwnFolder, "write", full)
        with pytest.raises(RunFolderError, match=r"within 1 s, and no weights are kept yet"):
            runner.present_weights(patience_s=1)
        ends = time.monotonic() + PATIENCE_S
        while not any("the weights of this" in event.message for event in runner.history.warnings):
            assert time.monotonic() < ends
            time.sleep(0.02)
    assert runner.present_weights(PATIENCE_S).instead == ""
    assert runner.state == "running"


@pytest.fixture
def run(tiny_config: TrainingConfig, corpus: AudioCorpus, tmp_path: Path) -> RunFolder:
    """A run that nobody trains."""
    path = tmp_path / "run"
    begin_run(path, RunRequest.of(tiny_config, corpus, name="run", device="cpu").to_dict())
    return RunFolder(path)


def enter(run: RunFolder, state: str) -> None:
    with hold_run(run.path) as writer:
        writer.write_status(RunStatus.now(state, pid=os.getpid(), epoch=0, step=0, session=1))


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (states.STARTING, "the run is starting"),
        (states.STOPPING, "the run is stopping"),
        (states.FINISHED, "the run is finished"),
        (states.FAILED, "the run is failed"),
        (states.NOT_ANSWERING, "its trainer does not answer"),
        (states.GONE, "its trainer is gone"),
    ],
)
def test_where_no_trainer_gives_weights_those_that_are_kept_serve(
    state: str, why: str, run: RunFolder, trained: TrainingResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RunFolder, "read_state", lambda self, **_: state)
    with pytest.raises(RunFolderError, match=f"^{why}, and no weights are kept yet"):
        present_weights(run)
    shutil.copy(trained.model_path, run.model_path)
    found = present_weights(run)
    assert (found.instead, found.epoch) == (why, trained.best_epoch)
    assert str(found) == f"kept weights of epoch {found.epoch + 1}: {why}"


def test_a_trainer_that_stays_silent_and_a_folder_one_may_only_read(
    run: RunFolder, trained: TrainingResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(trained.model_path, run.model_path)
    enter(run, states.RUNNING)
    monkeypatch.setattr(RunFolder, "read_state", lambda self, **_: states.RUNNING)
    late = "its trainer has not handed over others within 0.1 s"
    assert present_weights(run, patience_s=0.1).instead == late
    shutil.copy(trained.model_path, run.path / WEIGHTS)  # of nobody's request
    assert present_weights(run, patience_s=0.1).instead == late

    def refused(*_: object, **__: object) -> int:
        raise RunFolderError("the command could not be written (Read-only file system)")

    monkeypatch.setattr(module.RunHandle, "request_weights", refused)
    assert "may only be read" in present_weights(run).instead


def test_a_link_in_the_place_of_weights_is_refused(run: RunFolder, trained: TrainingResult) -> None:
    enter(run, states.FINISHED)
    run.model_path.symlink_to(trained.model_path)
    with pytest.raises(ForeignEntryError, match=MODEL):
        present_weights(run)


def test_a_run_that_learns_codes_says_so(
    trained: TrainingResult, corpus: AudioCorpus, tmp_path: Path
) -> None:
    config = tiny_prior(trained.load())
    begin_run(tmp_path / "run", RunRequest.of(config, corpus, name="run", device="cpu").to_dict())
    with pytest.raises(ModelTypeError, match="takes no sound"):
        try_sound(RunFolder(tmp_path / "run"), SOUND, RATE)


def test_files_that_are_no_sound_or_too_long(
    run: RunFolder, trained: TrainingResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(trained.model_path, run.model_path)
    enter(run, states.FINISHED)
    (tmp_path / "note.wav").write_text("not a sound")
    with pytest.raises(AudioFileError, match=r"^note\.wav: "):
        try_sound(run, tmp_path / "note.wav")
    monkeypatch.setattr(trying, "LONGEST_S", 0.5)
    soundfile.write(tmp_path / "long\n.wav", torch.zeros(RATE).numpy(), RATE)
    tried = try_sound(run, tmp_path / "long\n.wav")
    assert (tried.name, tried.seconds) == (r"long\n.wav", 0.5)
    assert tried.notes == ("the first 0.5 s of 1.0 s",)
    long = try_sound(run, torch.zeros(8000), 8000)
    assert long.notes == tried.notes and len(long.made) == RATE // 2
    with pytest.raises(ConfigError, match="samples need their rate"):
        try_sound(run, SOUND)


def test_distances_are_those_of_a_preview(
    run: RunFolder, trained: TrainingResult, tmp_path: Path
) -> None:
    shutil.copy(trained.model_path, run.model_path)
    enter(run, states.FINISHED)
    tried = try_sound(run, SOUND, RATE)
    model, loud = trained.load(), SOUND / SOUND.abs().max()
    floor = with_floor(PreviewSound("", loud), log_mel=model.spectrogram, vocoder=model.vocoder)
    made = model.vocoder(model.model.reconstructed(model.spectrogram(loud)[None])[0], len(loud))
    made = made.detach()
    mel, stft = mel_distance(loud, made, RATE), stft_distance(loud, made)
    assert floor.floor is not None
    pair = PreviewPair("", 0.25, "", "", mel, stft, *floor.floor)
    assert tried.distances == distances_of([pair])


def test_what_is_prepared_for_a_first_try_draws_no_random_numbers(
    any_config: TrainingConfig,
) -> None:
    before = torch.get_rng_state()
    trying.prepare(any_config)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_step_sees_a_command_before_the_heartbeat_does_and_reads_it_once(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hold_run(run.path) as writer, Monitor(writer, period_s=1e6) as monitor:
        monitor.look()  # there is no command yet
        change_control(run.path, weights=True)
        assert monitor.control.weights == 0
        monitor.look()
        assert monitor.control.weights == 1
        monkeypatch.setattr(Monitor, "_poll_control", lambda _: pytest.fail("nothing is new"))
        monitor.look()
        monkeypatch.undo()


def test_an_older_control_file_is_read(run: RunFolder) -> None:
    old = {"serial": 4, "wanted": "run", "previews": 1, "saves": 2}
    (run.path / "control.json").write_text(json.dumps(old))
    assert change_control(run.path, weights=True) == 5
    said = json.loads((run.path / "control.json").read_text())
    assert said == {**old, "serial": 5, "weights": 1}
