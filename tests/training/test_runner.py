from __future__ import annotations

import dataclasses
import threading
from pathlib import Path

import pytest

from distill import AudioCorpus, TrainingRunner, VQStepMetrics, VQVAEConfig
from distill.errors import CorpusError, RunnerBusyError
from distill.training.metrics import Event


@pytest.fixture
def endless(tiny_config: VQVAEConfig) -> VQVAEConfig:
    return dataclasses.replace(tiny_config, max_steps=1_000_000)


def test_a_run_from_start_to_result(
    corpus: AudioCorpus, tiny_config: VQVAEConfig, tmp_path: Path
) -> None:
    runner = TrainingRunner()
    assert (runner.state, runner.is_running, runner.result) == ("idle", False, None)
    assert runner.wait() is None
    runner.start_vqvae(tiny_config, corpus, tmp_path / "run", "cpu")
    result = runner.wait()
    assert result is not None and result.steps == 10
    assert (runner.state, runner.result, runner.last_error) == ("finished", result, None)
    assert runner.history.step_count == 10
    assert runner.history == result.history
    assert "finished" in repr(runner)


def test_start_returns_at_once_and_stop_keeps_a_model(
    corpus: AudioCorpus, endless: VQVAEConfig, tmp_path: Path
) -> None:
    runner, learning = TrainingRunner(), threading.Event()

    def callback(event: Event) -> None:
        if isinstance(event, VQStepMetrics):
            learning.set()

    runner.start_vqvae(endless, corpus, tmp_path / "run", "cpu", callback)
    assert runner.is_running
    assert learning.wait(60)
    assert runner.state == "running"
    assert runner.wait(timeout=0.01) is None
    runner.stop()
    runner.stop()  # pressed twice
    result = runner.wait(60)
    assert result is not None and result.reason == runner.state == "stopped"
    assert result.load().sample_rate == 48_000


def test_a_second_start_is_an_error_and_disturbs_nothing(
    corpus: AudioCorpus, endless: VQVAEConfig, tmp_path: Path
) -> None:
    runner = TrainingRunner()
    runner.start_vqvae(endless, corpus, tmp_path / "run", "cpu")
    with pytest.raises(RunnerBusyError, match=r"a training is running in .*run: stop\(\) it"):
        runner.start_vqvae(endless, corpus, tmp_path / "other", "cpu")
    assert not (tmp_path / "other").exists()
    runner.stop()
    assert runner.wait(60) is not None


def test_of_two_threads_pressing_start_one_wins(
    corpus: AudioCorpus, endless: VQVAEConfig, tmp_path: Path
) -> None:
    runner, outcomes = TrainingRunner(), []
    gate = threading.Barrier(8)

    def press(number: int) -> None:
        gate.wait()
        try:
            runner.start_vqvae(endless, corpus, tmp_path / f"run-{number}", "cpu")
            outcomes.append("started")
        except RunnerBusyError:
            outcomes.append("busy")

    threads = [threading.Thread(target=press, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["busy"] * 7 + ["started"]
    runner.stop()
    assert runner.wait(60) is not None
    assert len(list(tmp_path.iterdir())) == 1


def test_wait_raises_what_training_raised(tiny_config: VQVAEConfig, tmp_path: Path) -> None:
    runner = TrainingRunner()
    runner.start_vqvae(tiny_config, tmp_path / "nowhere", tmp_path / "run", "cpu")
    with pytest.raises(CorpusError, match="no such file or folder"):
        runner.wait(60)
    assert runner.state == "failed"
    assert isinstance(runner.last_error, CorpusError)


def test_a_runner_can_train_again(
    corpus: AudioCorpus, tiny_config: VQVAEConfig, tmp_path: Path
) -> None:
    runner = TrainingRunner()
    for name in ("one", "two"):
        runner.start_vqvae(tiny_config, corpus, tmp_path / name, "cpu")
        assert runner.wait(60) is not None
        assert runner.history.step_count == 10


def test_two_runners_never_share_a_folder(
    corpus: AudioCorpus, endless: VQVAEConfig, tmp_path: Path
) -> None:
    first, second, learning = TrainingRunner(), TrainingRunner(), threading.Event()
    first.start_vqvae(endless, corpus, tmp_path / "run", "cpu", lambda _event: learning.set())
    assert learning.wait(60)
    second.start_vqvae(endless, corpus, tmp_path / "run", "cpu")
    with pytest.raises(Exception, match=r"another training is running there|an earlier run"):
        second.wait(60)
    first.stop()
    assert first.wait(60) is not None
