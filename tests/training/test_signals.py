"""Whatever signal asks a training to end, in whatever rhythm: it stops and keeps the model."""

from __future__ import annotations

import dataclasses
import os
import random
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from distill import (
    AudioCorpus,
    RunFolder,
    TrainingCompleteEvent,
    VQStepMetrics,
    VQVAEConfig,
    load_model_v2,
    resume_vqvae,
    train_vqvae,
)
from distill.training.run.preparation import begin_run
from distill.training.run.request import RunRequest
from distill.training.session import signals as signals_module
from distill.training.session.signals import StopSignals, stopped_by_signals
from distill.training.watch.event_lines import Event

PATIENCE_S = 90
NAMES = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
posix = pytest.mark.skipif(os.name == "nt", reason="Windows sends no signals between processes")


@pytest.fixture
def endless(tiny_config: VQVAEConfig) -> VQVAEConfig:
    return dataclasses.replace(tiny_config, max_steps=1_000_000, preview_every_epochs=0)


@pytest.fixture(autouse=True)
def handlers_stay() -> Iterator[None]:
    before = [signal.getsignal(getattr(signal, name)) for name in NAMES]
    yield
    assert [signal.getsignal(getattr(signal, name)) for name in NAMES] == before


def assert_stopped_and_saved(run: Path) -> None:
    folder = RunFolder(run)
    events = folder.read_events()[0]
    assert folder.read_state() == "stopped"
    assert isinstance(events[-1], TrainingCompleteEvent) and events[-1].reason == "stopped"
    model = load_model_v2(folder.model_path)
    assert model.encode(torch.randn(4000), 48_000).levels == model.config.levels
    assert not list(run.rglob("*.tmp"))


def worker(run: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "distill.training.worker", str(run)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def until_it_learns(run: Path, steps: int = 3) -> None:
    ends = time.monotonic() + PATIENCE_S
    while len(RunFolder(run).read_lines()[0]) < steps:
        assert time.monotonic() < ends
        time.sleep(0.02)


@posix
def test_a_worker_that_is_terminated_keeps_the_model(
    corpus: AudioCorpus, endless: VQVAEConfig, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    begin_run(run, RunRequest.of(endless, corpus, name="run", device="cpu").to_dict())
    with worker(run) as process:
        until_it_learns(run)
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, said
    assert b"Traceback" not in said
    assert_stopped_and_saved(run)


@posix
def test_signals_in_any_rhythm_keep_the_model(
    corpus: AudioCorpus, endless: VQVAEConfig, tmp_path: Path
) -> None:
    """Twenty of all kinds, together or milliseconds apart, until the process is over."""
    dice, run = random.Random(0), tmp_path / "run"
    begin_run(run, RunRequest.of(endless, corpus, name="run", device="cpu").to_dict())
    with worker(run) as process:
        until_it_learns(run, 1)
        for _ in range(20):
            if process.poll() is None and RunFolder(run).read_state() != "stopped":
                process.send_signal(getattr(signal, dice.choice(NAMES)))
            time.sleep(dice.choice([0.0, 0.001, 0.02, 0.1]))
        said, _ = process.communicate(timeout=PATIENCE_S)
    assert b"Traceback" not in said
    assert_stopped_and_saved(run)


def interrupting(numbers: list[int], step: int) -> Callable[[Event], None]:
    def callback(event: Event) -> None:
        if isinstance(event, VQStepMetrics) and event.step == step:
            for number in numbers:
                signal.raise_signal(number)

    return callback


@pytest.mark.parametrize("times", [1, 2, 5])
def test_an_interrupted_call_keeps_the_model_then_interrupts(
    times: int, corpus: AudioCorpus, endless: VQVAEConfig, tmp_path: Path
) -> None:
    callback = interrupting([signal.SIGINT] * times, 7)
    with pytest.raises(KeyboardInterrupt):
        train_vqvae(endless, corpus, tmp_path / "run", "cpu", callback)
    assert_stopped_and_saved(tmp_path / "run")


def test_what_follows_is_as_if_it_had_not_been_stopped(
    corpus: AudioCorpus, tiny_config: VQVAEConfig, tmp_path: Path
) -> None:
    """Also where the time did not suffice for a validation: that is done then."""
    config = dataclasses.replace(tiny_config, max_steps=15)
    whole = train_vqvae(config, corpus, tmp_path / "whole", "cpu")
    stop = StopSignals()

    def callback(event: Event) -> None:
        if isinstance(event, VQStepMetrics) and event.step == 4:  # the last of the first epoch
            stop.receive(signal.SIGTERM)
            stop.receive(signal.SIGTERM)

    first = train_vqvae(config, corpus, tmp_path / "run", "cpu", callback, stop)
    assert (first.reason, first.steps, first.epochs) == ("stopped", 5, 0)
    assert_stopped_and_saved(tmp_path / "run")
    result = resume_vqvae(tmp_path / "run")
    for name, value in result.load().model.state_dict().items():
        assert torch.equal(value, whole.load().model.state_dict()[name]), name
    assert [e.val_loss for e in result.history.epochs] == [e.val_loss for e in whole.history.epochs]


def test_time_for_a_validation_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    stop = StopSignals()
    assert not stop.is_set() and not stop.want_now
    stop.receive(signal.SIGTERM)
    assert stop.is_set() and not stop.want_now and not stop.from_a_person
    now += signals_module.STOP_WITHIN_S + 0.1
    assert stop.want_now


def test_others_handlers_and_ignored_signals_are_left_alone() -> None:
    mine = signal.signal(signal.SIGTERM, lambda *_: None)
    ignored = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        during = signal.getsignal(signal.SIGTERM)
        with stopped_by_signals(repeat=True) as stop:
            assert signal.getsignal(signal.SIGTERM) is during
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        assert not stop.is_set()
    finally:
        signal.signal(signal.SIGTERM, mine)
        signal.signal(signal.SIGINT, ignored)


def test_in_another_thread_nothing_is_received() -> None:
    seen: list[bool] = []

    def inside() -> None:
        with stopped_by_signals() as stop:
            seen.append(stop.is_set())

    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    assert seen == [False]


IN_A_TERMINAL = """
import os, sys
terminal = os.open(sys.argv[1], os.O_RDWR)  # of a session's leader: becomes its terminal
for descriptor in (0, 1, 2):
    os.dup2(terminal, descriptor)
os.execv(sys.executable, [sys.executable, "-m", "distill.cli", *sys.argv[2:]])
"""


@posix
def test_a_closed_terminal_keeps_the_model(sounds_dir: Path, tmp_path: Path) -> None:
    """`distill train` in a window that is closed: SIGHUP, and from then on every write an error."""
    controller, terminal = os.openpty()
    run = tmp_path / "run"
    command = ["train", str(sounds_dir), "--out", str(run), "--max-seconds", "600"]
    small = ["--codebook-size", "16", "--device", "cpu"]
    with subprocess.Popen(
        [sys.executable, "-c", IN_A_TERMINAL, os.ttyname(terminal), *command, *small],
        start_new_session=True,
    ) as process:
        ends = time.monotonic() + PATIENCE_S
        while len(RunFolder(run).read_lines()[0]) < 3:
            assert time.monotonic() < ends and process.poll() is None
            if select.select([controller], [], [], 0.05)[0]:
                os.read(controller, 1 << 16)
        os.close(terminal)
        os.close(controller)
        assert process.wait(PATIENCE_S) == 130
    assert_stopped_and_saved(run)
