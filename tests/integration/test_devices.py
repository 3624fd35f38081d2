"""A run on several devices, that starts its own processes: as it ends, also when one is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from distill import AudioCorpus, RunFolder, TrainingRunner, VQStepMetrics, VQVAEConfig, train_vqvae
from distill.errors import ConfigError, RunFolderError, TrainingError
from distill.training.run.request import RunRequest
from distill.training.session import replicas as replicas_module
from distill.training.session.replicas import Replicas
from distill.training.trainers import TIED, WORKER

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
def training(corpus: AudioCorpus, tmp_path: Path) -> Iterator[tuple[TrainingRunner, list[int]]]:
    """A runner whose run trains in two processes, and their numbers; none may survive."""
    runner = TrainingRunner()
    runner.start_vqvae(config(), corpus, tmp_path / "run", "cpu", devices=2)
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


def test_two_processes_learn_what_one_does_with_the_doubled_batch(
    corpus: AudioCorpus, tmp_path: Path
) -> None:
    """As a script waits for it; and a resume has two again, or the number that is asked for."""
    one, two = tmp_path / "one", tmp_path / "two"
    train_vqvae(config(batch_size=8, max_steps=8), corpus, one, "cpu")
    events: list[object] = []
    result = train_vqvae(config(max_steps=8), corpus, two, "cpu", events.append, devices=2)
    assert result.reason == "max_steps" and result.load().codebook_health
    losses = [
        [event.loss for event in RunFolder(run).read_events()[0] if type(event) is VQStepMetrics]
        for run in (one, two)
    ]
    assert len(losses[0]) == 8 and losses[1] == pytest.approx(losses[0], rel=2e-3)
    assert [event.loss for event in events if type(event) is VQStepMetrics] == losses[1]
    assert RunRequest.from_dict(RunFolder(two).read_request()).devices == 2
    runner = TrainingRunner()
    runner.resume(two, max_steps=10).wait(progress=False)
    assert runner.result is not None and runner.result.steps == 10
    assert RunRequest.from_dict(RunFolder(two).read_request()).devices == 2
    runner.resume(two, max_steps=12, devices=1).wait(progress=False)
    assert runner.result is not None and runner.result.steps == 12
    assert RunRequest.from_dict(RunFolder(two).read_request()).devices == 1


def test_a_killed_replica_ends_the_run_with_its_story(
    training: tuple[TrainingRunner, list[int]],
) -> None:
    runner, processes = training
    os.kill(processes[1], signal.SIGKILL)
    began = time.monotonic()
    with pytest.raises(TrainingError, match=r"^process 2 of 2 was killed by signal 9 ") as told:
        runner.wait(30, progress=False)
    assert time.monotonic() - began < 15
    assert "resume() goes on from the last checkpoint" in str(told.value)
    assert runner.state == "failed"
    assert str(runner.last_error) == str(told.value)


def test_when_the_first_is_killed_no_process_stays(
    training: tuple[TrainingRunner, list[int]],
) -> None:
    runner, processes = training
    os.kill(processes[0], signal.SIGKILL)
    with pytest.raises(TrainingError, match="killed by signal 9"):
        runner.wait(30, progress=False)
    assert runner.state == "gone"


def test_pause_and_stop(training: tuple[TrainingRunner, list[int]]) -> None:
    runner, _ = training
    runner.pause()
    until(lambda: runner.state == "paused")
    runner.resume()
    until(lambda: runner.state == "running")
    runner.stop()
    result = runner.wait(60, progress=False)
    assert result is not None and result.reason == "stopped" and result.model_path.exists()


def test_a_signal_to_the_first_stops_all(training: tuple[TrainingRunner, list[int]]) -> None:
    runner, processes = training
    os.kill(processes[0], signal.SIGTERM)
    result = runner.wait(60, progress=False)
    assert result is not None and result.reason == "stopped"


def test_a_replica_that_cannot_work_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the first process waits for it, and would for ever."""
    monkeypatch.setattr(replicas_module, "_GRACE_S", 0.0)
    stuck = threading.Event()
    replicas = Replicas(WORKER, [str(tmp_path), TIED], 2, stuck.set)
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
