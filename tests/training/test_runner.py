from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest

from distill import (
    AudioCorpus,
    PreviewEvent,
    RunFolder,
    TrainingCompleteEvent,
    TrainingRunner,
    VQStepMetrics,
    VQVAEConfig,
    train_vqvae,
)
from distill.audio import handover
from distill.errors import (
    ConfigError,
    CorpusError,
    RunFolderError,
    RunnerBusyError,
    TrainingError,
)
from distill.training import trainers
from distill.training.watch.event_lines import Event

PATIENCE_S = 90


@contextlib.contextmanager
def opened(backend: Literal["thread", "process"]) -> Iterator[TrainingRunner]:
    made = TrainingRunner(backend)
    yield made
    if made.is_running:
        made.stop(now=True)
        made.wait(PATIENCE_S)
    made.close()


@pytest.fixture(params=["thread", "process"])
def runner(request: pytest.FixtureRequest) -> Iterator[TrainingRunner]:
    """Of each backend in turn: for what has to hold whoever trains."""
    with opened(request.param) as made:
        yield made


@pytest.fixture
def thread_runner() -> Iterator[TrainingRunner]:
    with opened("thread") as made:
        yield made


@pytest.fixture
def process_runner() -> Iterator[TrainingRunner]:
    with opened("process") as made:
        yield made


@pytest.fixture
def endless(tiny_config: VQVAEConfig) -> VQVAEConfig:
    return dataclasses.replace(tiny_config, max_steps=1_000_000, checkpoint_every_s=0.2)


def until(condition: Callable[[], bool], what: str) -> None:
    ends = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < ends, f"waited in vain for {what}"
        time.sleep(0.02)


def learning(runner: TrainingRunner) -> None:
    until(lambda: runner.history.step_count > 2, "the first steps")


def test_a_run_from_start_to_result(
    runner: TrainingRunner, corpus: AudioCorpus, tiny_config: VQVAEConfig, tmp_path: Path
) -> None:
    assert (runner.state, runner.is_running, runner.result) == ("idle", False, None)
    assert runner.wait() is None
    got: list[Event] = []
    assert runner.start_vqvae(tiny_config, corpus, tmp_path / "run", "cpu", got.append) is runner
    result = runner.wait(PATIENCE_S)
    assert result is not None and result.steps == 10
    assert (runner.state, runner.last_error) == ("finished", None)
    assert runner.result == result
    assert got == RunFolder(tmp_path / "run").read_events()[0]
    assert isinstance(got[-1], TrainingCompleteEvent)
    assert runner.history.step_count == 10
    assert result.load().sample_rate == 48_000
    assert "finished" in repr(runner)


def test_stopping_now_keeps_the_best_so_far(
    thread_runner: TrainingRunner, corpus: AudioCorpus, endless: VQVAEConfig, tmp_path: Path
) -> None:
    runner = thread_runner
    runner.start_vqvae(endless, corpus, tmp_path / "run", "cpu")
    until(lambda: len(runner.history.epochs) >= 2, "two epochs")
    runner.stop(now=True)
    result = runner.wait(PATIENCE_S)
    assert result is not None and result.reason == "stopped"
    assert result.best_val_loss == min(result.history.curves()["val"])
    assert result.load().codebook_health


def test_start_returns_at_once_and_all_buttons_work_until_stop_keeps_a_model(
    runner: TrainingRunner, corpus: AudioCorpus, endless: VQVAEConfig, tmp_path: Path
) -> None:
    runner.start_vqvae(endless, corpus, tmp_path / "run", "cpu")
    assert runner.is_running
    assert runner.wait(timeout=0.01) is None
    until(lambda: len(runner.history.epochs) >= 1, "an epoch")
    serial = runner.pause()
    until(lambda: runner.acknowledged(serial), "the pause to be acknowledged")
    until(lambda: runner.state == "paused", "the pause")
    time.sleep(0.3)
    steps = runner.history.step_count
    elapsed = runner.history.elapsed_s
    previews = len(runner.history.previews)
    model = tmp_path / "run" / "model.distill"
    assert not model.exists()
    runner.request_preview()
    runner.request_save()
    until(lambda: len(runner.history.previews) > previews, "a preview while paused")
    until(model.exists, "the model while paused")
    assert runner.history.step_count == steps
    newest = runner.history.previews[-1]
    assert isinstance(newest, PreviewEvent) and newest.folder.startswith("previews/step-")
    assert runner.resume() is runner
    until(lambda: runner.history.step_count > steps, "steps after the pause")
    assert runner.state == "running"
    assert runner.history.elapsed_s - elapsed < 60
    previews = len(runner.history.previews)
    (tmp_path / "run" / "control.json").write_text("{")  # its counters begin anew
    runner.request_preview()
    until(lambda: len(runner.history.previews) > previews, "a preview all the same")
    runner.stop()
    runner.stop()  # pressed twice
    result = runner.wait(PATIENCE_S)
    assert result is not None and result.reason == runner.state == "stopped"
    assert result.history.epochs[-1].step == result.steps
    assert result.load().sample_rate == 48_000


def test_of_many_threads_pressing_start_one_wins_and_no_later_start_disturbs_it(
    process_runner: TrainingRunner, corpus: AudioCorpus, endless: VQVAEConfig, tmp_path: Path
) -> None:
    runner = process_runner
    outcomes: list[str] = []
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
    [run] = tmp_path.iterdir()
    with pytest.raises(RunnerBusyError, match=r"a training is running in .*run-\d: stop\(\) it"):
        runner.start_vqvae(endless, corpus, tmp_path / "other", "cpu")
    assert not (tmp_path / "other").exists()
    other = TrainingRunner()
    with pytest.raises(RunFolderError, match=r"earlier run|another training is (running|starting)"):
        other.start_vqvae(endless, corpus, run, "cpu")
    learning(runner)


def test_of_many_watchers_pressing_everything_the_run_survives(
    process_runner: TrainingRunner, corpus: AudioCorpus, endless: VQVAEConfig, tmp_path: Path
) -> None:
    """Two threads here and a second process press a thousand times; then one stop is enough."""
    runner = process_runner
    runner.start_vqvae(endless, corpus, tmp_path / "run", "cpu")
    learning(runner)
    presses = (
        "import sys\nfrom pathlib import Path\n"
        "from distill.training.run.control import change_control\n"
        "for n in range(300): change_control(Path(sys.argv[1]), wanted='pause' if n % 2 else 'run')"
    )
    other = subprocess.Popen([sys.executable, "-c", presses, str(tmp_path / "run")])
    watcher = TrainingRunner.attach(tmp_path / "run")

    def press(who: TrainingRunner) -> None:
        for number in range(350):
            (who.pause, who.resume)[number % 2]()
            assert who.state in ("running", "paused")
            if number % 50 == 0:
                with pytest.raises((RunnerBusyError, RunFolderError)):
                    who.start_vqvae(endless, corpus, tmp_path / "run", "cpu", overwrite=True)

    threads = [threading.Thread(target=press, args=(who,)) for who in (runner, watcher)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert other.wait(PATIENCE_S) == 0
    steps = runner.history.step_count
    runner.resume()
    until(lambda: runner.history.step_count > steps, "training to go on")
    watcher.stop()
    result = runner.wait(PATIENCE_S)
    assert result is not None and result.reason == "stopped"
    assert watcher.wait(PATIENCE_S) == result
    assert list(runner.history.steps["step"]) == list(range(result.steps))


def test_wrong_beginnings_are_reported_at_once(
    thread_runner: TrainingRunner, corpus: AudioCorpus, tiny_config: VQVAEConfig, tmp_path: Path
) -> None:
    runner = thread_runner
    (tmp_path / "empty").mkdir()
    for place, message in (("none", "no such file or folder"), ("empty", "no files there")):
        with pytest.raises(CorpusError, match=message):
            runner.start_vqvae(tiny_config, tmp_path / place, tmp_path / "run", "cpu")
    with pytest.raises(ConfigError, match="device='abacus'"):
        runner.start_vqvae(tiny_config, corpus, tmp_path / "run", "abacus")
    assert runner.state == "idle"
    assert not (tmp_path / "run").exists()
    with pytest.raises(ConfigError, match="backend='fork': expected 'process' or 'thread'"):
        TrainingRunner("fork")  # type: ignore[arg-type]
    with pytest.raises(RunFolderError, match="there is no run yet: start one"):
        runner.stop()
    with pytest.raises(RunFolderError, match=r"there is no run yet: .* or name it"):
        runner.resume()
    with pytest.raises(RunFolderError, match="no run there"):
        TrainingRunner.attach(tmp_path)


def test_wait_raises_what_training_raised(
    runner: TrainingRunner, tiny_config: VQVAEConfig, tmp_path: Path
) -> None:
    (tmp_path / "sounds").mkdir()
    (tmp_path / "sounds" / "bad.wav").write_bytes(b"")
    runner.start_vqvae(tiny_config, tmp_path / "sounds", tmp_path / "run", "cpu")
    with pytest.raises(
        CorpusError, match=r"none of 1 files is usable:\n    bad\.wav: an empty file"
    ):
        runner.wait(PATIENCE_S)
    assert runner.state == "failed"
    assert isinstance(runner.last_error, CorpusError)
    assert runner.result is None


def test_commands_to_a_run_that_has_ended(
    thread_runner: TrainingRunner, corpus: AudioCorpus, tiny_config: VQVAEConfig, tmp_path: Path
) -> None:
    runner = thread_runner
    runner.start_vqvae(tiny_config, corpus, tmp_path / "run", "cpu")
    runner.wait(PATIENCE_S)
    runner.stop()  # has what it wants already
    for press in (runner.pause, runner.request_preview, runner.request_save):
        with pytest.raises(RunFolderError, match="is not training, it is finished"):
            press()
    with pytest.raises(RunFolderError, match="max_steps=3, but 10 are done already"):
        runner.resume(max_steps=3)
    got: list[Event] = []
    runner.resume(max_steps=15, callback=got.append)
    result = runner.wait(PATIENCE_S)
    assert result is not None and result.steps == 15
    assert isinstance(got[-1], TrainingCompleteEvent)


def test_each_end_of_a_run_is_reported(
    thread_runner: TrainingRunner, corpus: AudioCorpus, tiny_config: VQVAEConfig, tmp_path: Path
) -> None:
    runner = thread_runner
    got: list[Event] = []
    runner.start_vqvae(tiny_config, corpus, tmp_path / "run", "cpu", got.append)
    runner.wait(PATIENCE_S)
    runner.resume(max_steps=15)
    runner.wait(PATIENCE_S)
    ends = [event.steps for event in got if isinstance(event, TrainingCompleteEvent)]
    assert ends == [10, 15]
    steps = [event.step for event in got if isinstance(event, VQStepMetrics)]
    assert steps == list(range(15))


def test_pressing_start_while_a_callback_reads_the_history(
    corpus: AudioCorpus, tiny_config: VQVAEConfig, tmp_path: Path
) -> None:
    """The callback waits for the runner while the runner lets go of the callback's run."""
    runner, inside, gate = TrainingRunner("thread"), threading.Event(), threading.Event()

    def callback(event: Event) -> None:
        if isinstance(event, TrainingCompleteEvent):
            inside.set()
            gate.wait(PATIENCE_S)
            assert runner.history.step_count >= 0

    runner.start_vqvae(tiny_config, corpus, tmp_path / "one", "cpu", callback)
    assert inside.wait(PATIENCE_S)
    until(lambda: not runner.is_running, "the first run to end")
    threading.Timer(0.3, gate.set).start()
    runner.start_vqvae(tiny_config, corpus, tmp_path / "two", "cpu")
    assert runner.wait(PATIENCE_S) is not None
    assert runner.history.step_count == 10


def test_a_killed_trainer_is_gone_and_resume_loses_nothing(
    process_runner: TrainingRunner, corpus: AudioCorpus, endless: VQVAEConfig, tmp_path: Path
) -> None:
    runner, got = process_runner, []
    runner.start_vqvae(endless, corpus, tmp_path / "run", "cpu", got.append)
    until(lambda: len(runner.history.checkpoints) >= 2, "checkpoints")
    status = RunFolder(tmp_path / "run").read_status()
    assert status is not None and status.pid != os.getpid()
    os.kill(status.pid, signal.SIGKILL)
    with pytest.raises(TrainingError, match=r"died without a word \(killed by signal 9\); out of"):
        runner.wait(PATIENCE_S)
    assert runner.state == "gone"
    [info] = TrainingRunner.list(tmp_path)
    assert (info.name, info.state) == ("run", "gone")
    steps = runner.history.step_count
    runner.resume()
    until(lambda: runner.history.step_count > steps + 3, "steps after the crash")
    runner.stop()
    result = runner.wait(PATIENCE_S)
    assert result is not None
    assert list(runner.history.steps["step"]) == list(range(result.steps))
    steps = [event.step for event in got if isinstance(event, VQStepMetrics)]
    assert steps == list(range(result.steps))  # each once, also those that were done twice


def test_an_interrupt_of_the_notebook_does_not_reach_the_trainer(
    corpus: AudioCorpus, endless: VQVAEConfig, tmp_path: Path
) -> None:
    """A notebook is a process; its interrupt goes to its whole process group, and then it dies."""
    script = tmp_path / "notebook.py"
    script.write_text(
        "import sys, time\n"
        "from distill import TrainingRunner, VQVAEConfig\n"
        f"config = VQVAEConfig.from_dict({endless.to_dict()!r})\n"
        "runner = TrainingRunner()\n"
        "runner.start_vqvae(config, sys.argv[1], sys.argv[2], 'cpu')\n"
        "while runner.history.step_count < 3: time.sleep(0.05)\n"
        "try:\n"
        "    print('learning', flush=True)\n"
        "    runner.wait()\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted', flush=True)\n"
        "runner.close()\n"
    )
    run = tmp_path / "run"
    with subprocess.Popen(
        [sys.executable, script, str(corpus.files[0].path), str(run)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as notebook:
        try:
            assert notebook.stdout is not None
            assert notebook.stdout.readline() == "learning\n"
            os.killpg(notebook.pid, signal.SIGINT)
            assert notebook.stdout.read() == "interrupted\n"
            assert notebook.wait(PATIENCE_S) == 0
        finally:
            notebook.kill()
    watcher = TrainingRunner.attach(run)  # another kernel
    steps = watcher.history.step_count
    assert watcher.state == "running"
    until(lambda: watcher.history.step_count > steps, "training to go on without its notebook")
    watcher.stop()
    result = watcher.wait(PATIENCE_S)
    assert result is not None and result.reason == "stopped"


def test_watching_ends_quietly_and_says_what_went_wrong(
    thread_runner: TrainingRunner,
    tiny_config: VQVAEConfig,
    corpus: AudioCorpus,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    thread_runner.start_vqvae(tiny_config, corpus, tmp_path / "run", "cpu")
    assert thread_runner.watch().step_count == 10
    assert "100%" in capsys.readouterr().err
    (tmp_path / "bad.wav").write_bytes(b"")
    thread_runner.start_vqvae(tiny_config, tmp_path / "bad.wav", tmp_path / "bad", "cpu")
    thread_runner.watch()
    assert "CorpusError: " in capsys.readouterr().out


def test_the_runs_of_a_folder_at_a_glance(
    corpus: AudioCorpus, tiny_config: VQVAEConfig, tmp_path: Path
) -> None:
    assert repr(TrainingRunner.list(tmp_path)) == "no runs"
    runner = TrainingRunner("thread")
    runner.start_vqvae(tiny_config, corpus, tmp_path / "one & only", "cpu")
    runner.wait(PATIENCE_S)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_text("{")
    runs = TrainingRunner.list(tmp_path)
    assert [(run.name, run.state) for run in runs] == [
        ("one & only", "finished"), ("broken", "damaged"),
    ]  # fmt: skip
    assert "one & only  finished  2" in repr(runs)
    assert "one &amp; only" in runs._repr_html_()
    with pytest.raises(RunFolderError, match="no such folder"):
        TrainingRunner.list(tmp_path / "none")


def test_sounds_that_were_read_for_a_resume_are_handed_over(
    process_runner: TrainingRunner,
    corpus: AudioCorpus,
    tiny_config: VQVAEConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = tmp_path / "run"
    train_vqvae(tiny_config, corpus, run, "cpu")
    handed: list[AudioCorpus] = []

    def hand_over(found: AudioCorpus) -> Path | None:
        handed.append(found)
        return handover.hand_over(found)

    monkeypatch.setattr(trainers, "hand_over", hand_over)
    sounds = corpus.files[0].path.parent
    process_runner.resume(run, sounds=sounds, max_steps=12)
    result = process_runner.wait(PATIENCE_S, progress=False)
    assert result is not None and result.steps == 12
    assert [found.places for found in handed] == [(sounds,)]
