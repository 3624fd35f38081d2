"""Full disks and power cuts; see benchmarks/bad_luck.py, which tries a thousand."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from distill import AudioCorpus, RunFolder, VQVAEConfig, resume_vqvae, train_vqvae
from distill.errors import DistillError, ModelFileError, TrainingError
from distill.models.file.persistence import save_model
from distill.training.session import training_session
from distill.training.watch.event_lines import Event, WarningEvent

BAD_LUCK = Path(__file__).resolve().parents[2] / "benchmarks" / "bad_luck.py"


def test_no_full_disk_and_no_power_cut_costs_anything_silently() -> None:
    answer = subprocess.run(
        [sys.executable, str(BAD_LUCK), "--count", "3", "--full", "2"],
        capture_output=True,
        text=True,
        timeout=280,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert len(re.findall("foreign exceptions 0, silent 0, unclear 0", answer.stdout)) == 2
    assert "as if nothing had happened" in answer.stdout


def full() -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_model_waits_for_room(
    corpus: AudioCorpus, tiny_config: VQVAEConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Training is over and the disk is full: it waits, says so, and goes on when there is room."""
    real, refusals = os.fsync, [0]

    def fsync(descriptor: int) -> None:
        if refusals[0] > 0:
            refusals[0] -= 1
            raise full()
        real(descriptor)

    def save(*arguments: object, **options: object) -> object:
        refusals[0] = 1 if not warnings else 0
        return save_model(*arguments, **options)  # type: ignore[arg-type]

    warnings: list[Event] = []

    def callback(event: Event) -> None:
        if isinstance(event, WarningEvent) and event.kind == "disk":
            warnings.append(event)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(training_session, "save_model", save)
    monkeypatch.setattr(training_session, "_POLLS_FOR_ROOM_S", 0.0)
    result = train_vqvae(tiny_config, corpus, tmp_path / "run", "cpu", callback)
    assert result.reason == "max_steps" and result.load().sample_rate == 48_000
    [warning] = warnings
    assert isinstance(warning, WarningEvent)
    assert "no room for the model in" in warning.message and "make room" in warning.message


def test_a_model_without_room_is_one_story_and_can_be_had_later(
    corpus: AudioCorpus, tiny_config: VQVAEConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save(*_: object, **__: object) -> None:
        raise ModelFileError("model.distill: cannot be saved") from full()

    with monkeypatch.context() as patch:
        patch.setattr(training_session, "save_model", save)
        patch.setattr(training_session, "_WAITS_FOR_ROOM_S", 0.0)
        with pytest.raises(TrainingError, match=r"^the disk is full .*make room, then resume$"):
            train_vqvae(tiny_config, corpus, tmp_path / "run", "cpu")
    assert RunFolder(tmp_path / "run").read_state() == "failed"
    assert resume_vqvae(tmp_path / "run").steps == 10


@pytest.mark.parametrize("kilobytes", [60, 200, 420])
def test_a_small_disk_of_its_own(
    kilobytes: int, corpus: AudioCorpus, tiny_config: VQVAEConfig, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(disk)]
    try:
        mounted = subprocess.run(mount, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no `mount` here")
    if mounted.returncode:
        pytest.skip(f"nothing can be mounted here: {mounted.stderr.strip()}")
    wait, training_session._WAITS_FOR_ROOM_S = training_session._WAITS_FOR_ROOM_S, 0.0
    try:
        try:
            train_vqvae(tiny_config, corpus, disk / "run", "cpu")
        except DistillError as error:
            assert "No space left on device" in str(error)
        larger = ["mount", "-o", "remount,size=64m", str(disk)]
        assert subprocess.run(larger, capture_output=True).returncode == 0
        run = RunFolder(disk / "run")
        if not run.is_run:
            train_vqvae(tiny_config, corpus, disk / "run", "cpu")
        elif run.read_state() != "finished":
            resume_vqvae(disk / "run")
        assert run.read_state() == "finished"
    finally:
        training_session._WAITS_FOR_ROOM_S = wait
        subprocess.run(["umount", "-l", str(disk)], check=False, capture_output=True)
