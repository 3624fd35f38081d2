"""A run on several devices, that starts its own processes: as it ends, also when one is killed."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from distill import (
    AudioCorpus,
    RunFolder,
    TrainingResult,
    TrainingRunner,
    VQStepMetrics,
    VQVAEConfig,
    resume_vqvae,
    train_vqvae,
)
from distill.errors import ConfigError, RunFolderError, TrainingError
from distill.training import worker
from distill.training.run.death_notice import FAILED, read_last_words
from distill.training.run.preparation import begin_run, write_request
from distill.training.run.request import RunRequest
from distill.training.run.writer import hold_run
from distill.training.session import replicas as replicas_module
from distill.training.session.monitor import Monitor
from distill.training.session.replicas import Replicas
from distill.training.trainers import TIED, WORKER, ProcessTrainer
from distill.training.watch.event_lines import TrainingFailedEvent
from tests.families import tiny

CONFIG = {
    "width": 16, "latent_dim": 8, "codebook_size": 16, "segment_frames": 24,
    "min_steps_per_epoch": 6, "preview_every_epochs": 0, "dead_code_fraction": 0.0,
}  # fmt: skip

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills processes by signals")


def config(**fields: float) -> VQVAEConfig:
    return VQVAEConfig(**{**CONFIG, "batch_size": 4, "max_seconds": 300.0, **fields})


def children(pid: int) -> list[int]:
    answer = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,stat="], capture_output=True, text=True)
    rows = [line.split() for line in answer.stdout.splitlines()]
    return [int(own) for own, parent, _ in rows if int(parent) == pid]


def is_alive(pid: int) -> bool:
    answer = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return answer.stdout.strip()[:1] not in ("", "Z")


def until(is_so: Callable[[], object], patience_s: float = 90.0) -> None:
    ends = time.monotonic() + patience_s
    while not is_so():
        assert time.monotonic() < ends, "too slow"
        time.sleep(0.05)


@pytest.fixture
def training(
    request: pytest.FixtureRequest, corpus: AudioCorpus, tmp_path: Path
) -> Iterator[tuple[TrainingRunner, list[int]]]:
    """A runner whose run trains in two processes, and their numbers; none may survive."""
    settings = tiny(getattr(request, "param", "vqvae"), preview_every_epochs=0, max_seconds=300.0)
    runner = TrainingRunner()
    runner.start(settings, corpus, tmp_path / "run", "cpu", devices=2)
    until(lambda: runner.history.last_step or not runner.is_running)
    status = RunFolder(tmp_path / "run").read_status()
    assert status is not None
    processes = [status.pid, *children(status.pid)]
    try:
        assert len(processes) == 2, runner.last_error
        yield runner, processes
        until(lambda: not any(map(is_alive, processes)), 10.0)
    finally:
        for process in filter(is_alive, processes):
            os.kill(process, signal.SIGKILL)
        runner.close()


def test_two_processes_learn_from_a_model_what_one_does_with_the_doubled_batch(
    corpus: AudioCorpus, trained: TrainingResult, tmp_path: Path
) -> None:
    """As a script waits for it; and a resume has two again, or the number that is asked for."""
    one, two = tmp_path / "one", tmp_path / "two"
    fields = {"max_steps": 4, "dead_code_fraction": 0.0, "preview_every_epochs": 0}
    settings = dataclasses.replace(trained.load().config, **fields)
    alone = dataclasses.replace(settings, batch_size=2 * settings.batch_size)
    start = trained.model_path
    train_vqvae(alone, corpus, one, "cpu", start=start)
    events: list[object] = []
    result = train_vqvae(settings, corpus, two, "cpu", events.append, devices=2, start=start)
    assert result.reason == "max_steps" and result.load().codebook_health
    losses = [
        [event.loss for event in RunFolder(run).read_events()[0] if type(event) is VQStepMetrics]
        for run in (one, two)
    ]
    assert len(losses[0]) == 4 and losses[1][:2] == pytest.approx(losses[0][:2], rel=2e-3)
    # Sums round differently; a code that is chosen otherwise for it moves so small a batch a lot.
    assert losses[1] == pytest.approx(losses[0], rel=0.1)
    assert [event.loss for event in events if type(event) is VQStepMetrics] == losses[1]

    def devices() -> int:
        return RunRequest.from_dict(RunFolder(two).read_request()).devices

    assert devices() == 2
    runner = TrainingRunner()
    runner.resume(two, max_steps=6).wait(progress=False)
    assert runner.result is not None and runner.result.steps == 6 and devices() == 2
    assert not [warning for warning in runner.history.warnings if warning.kind == "devices"]
    history = resume_vqvae(two, max_steps=8, devices=1).history
    assert devices() == 1
    (warning,) = [warning for warning in history.warnings if warning.kind == "devices"]
    assert warning.message.startswith("trains in 1 process from here on, before in 2: each takes ")
    size = settings.batch_size
    said = f"batch_size={size} segments, so a step learns from {size}, before from {2 * size}; an"
    assert said in warning.message


def test_a_killed_replica_ends_the_run_with_its_story(
    training: tuple[TrainingRunner, list[int]],
) -> None:
    runner, processes = training
    os.kill(processes[1], signal.SIGKILL)
    began = time.monotonic()
    with pytest.raises(TrainingError, match=r"^process 2 of 2 was killed by signal 9 ") as raised:
        runner.wait(30, progress=False)
    assert time.monotonic() - began < 15
    assert "resume() goes on from the last checkpoint" in str(raised.value)
    assert runner.state == "failed"
    assert str(runner.last_error) == str(raised.value)


def test_a_suspended_replica_does_not_hold_up_a_stop(
    training: tuple[TrainingRunner, list[int]],
) -> None:
    runner, processes = training
    os.kill(processes[1], signal.SIGSTOP)
    step = runner.history.last_step
    time.sleep(2.0)  # nothing ends it before somebody wants a stop
    assert is_alive(processes[1]) and runner.state == "running"
    assert runner.history.last_step is not None and step is not None
    runner.stop()
    began = time.monotonic()
    with pytest.raises(TrainingError, match=r"^process 2 of 2 gave no sign of life for 10 s when "):
        runner.wait(40, progress=False)
    assert time.monotonic() - began < replicas_module.SILENT_S + replicas_module._GRACE_S
    assert runner.state == "failed"


def test_a_run_that_waits_for_a_dead_process_is_ended(
    corpus: AudioCorpus,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """As the guard does it, from another thread than the one that waits."""
    run = tmp_path / "run"
    begin_run(run, RunRequest.of(config(), corpus, name="r", device="cpu", devices=2).to_dict())
    codes: list[int] = []
    monkeypatch.setattr(worker.os, "_exit", codes.append)
    with hold_run(run) as folder, Monitor(folder, period_s=1e6) as monitor:
        monitor.enter("running")
        worker._end_at_once(folder, TrainingError("process 2 of 2 was killed by signal 9"))
        found = RunFolder(run)
        assert found.read_state() == "failed"
        assert found.read_events()[0] == [
            TrainingFailedEvent("TrainingError", "process 2 of 2 was killed by signal 9", None)
        ]
        monitor.enter("failed")
    assert codes == [FAILED]
    last = capfd.readouterr().err.strip().splitlines()[-1]
    assert str(read_last_words(last)) == "process 2 of 2 was killed by signal 9"


def test_too_many_devices_in_a_run_that_was_edited_are_refused_by_all(
    corpus: AudioCorpus, tmp_path: Path
) -> None:
    """And a run that ended well before stays as it ended, to the minute it was last seen."""
    run = tmp_path / "run"
    request = RunRequest.of(config(max_steps=1), corpus, name="r", device="cpu", devices=1000)
    begin_run(run, request.to_dict())
    trainer = ProcessTrainer(run)
    other = TrainingRunner.attach(run)
    with pytest.raises(ConfigError, match="devices=1000: this machine has"):
        other.wait(60, progress=False)
    assert other.state == "failed"
    until(lambda: not trainer.is_alive)
    write_request(run, {**request.to_dict(), "devices": 1})
    assert resume_vqvae(run).reason == "max_steps"
    (before,) = TrainingRunner.list(run)
    write_request(run, {**RunFolder(run).read_request(), "devices": 1000})
    trainer = ProcessTrainer(run)
    until(lambda: not trainer.is_alive)
    assert trainer.exit_code == FAILED
    assert list(TrainingRunner.list(run)) == [before] and before.state == "finished"


def test_when_the_first_is_killed_no_process_stays(
    training: tuple[TrainingRunner, list[int]],
) -> None:
    runner, processes = training
    os.kill(processes[0], signal.SIGKILL)
    with pytest.raises(TrainingError, match="killed by signal 9"):
        runner.wait(30, progress=False)
    assert runner.state == "gone"


@pytest.mark.parametrize("training", ["vae"], indirect=True)  # the others train an RVQ-VAE
def test_all_pause_and_go_on_and_a_signal_to_the_first_stops_all(
    training: tuple[TrainingRunner, list[int]],
) -> None:
    runner, processes = training
    runner.pause()
    until(lambda: runner.state == "paused")
    runner.resume()
    until(lambda: runner.state == "running")
    os.kill(processes[0], signal.SIGTERM)
    result = runner.wait(180, progress=False)
    assert result is not None and result.reason == "stopped" and result.model_path.exists()


def test_a_replica_that_cannot_work_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the first process waits for it, and would for ever."""
    monkeypatch.setattr(replicas_module, "_GRACE_S", 0.0)
    stuck = threading.Event()
    replicas = Replicas(WORKER, [str(tmp_path), TIED], 2, stuck.set, lambda: False)
    try:
        assert stuck.wait(90)
        error = replicas.explain(RuntimeError("the other does not answer"))
        assert str(error).startswith("process 2 of 2 failed: RunFolderError: ")
        assert "no run there" in str(error)
    finally:
        replicas.close()


def test_too_many_devices_are_refused_at_once(corpus: AudioCorpus, tmp_path: Path) -> None:
    runner = TrainingRunner()
    with pytest.raises(ConfigError, match=r"devices=5000: this machine has \d+ CPU cores; give at"):
        runner.start_vqvae(config(), corpus, tmp_path / "run", "cpu", devices=5000)
    with pytest.raises(ConfigError, match="devices=0: expected 1 or more"):
        train_vqvae(config(), corpus, tmp_path / "run", "cpu", devices=0)
    with pytest.raises(ConfigError, match="devices=2: a thread trains on one"):
        TrainingRunner("thread").start_vqvae(config(), corpus, tmp_path / "run", "cpu", devices=2)
    assert not (tmp_path / "run").exists()
    train_vqvae(config(max_steps=1), corpus, tmp_path / "run", "cpu")
    with pytest.raises(ConfigError, match="devices=5000"):
        runner.resume(tmp_path / "run", max_steps=2, devices=5000)
    with pytest.raises(RunFolderError, match="is finished"):
        runner.resume(tmp_path / "run", devices=2)
