from __future__ import annotations

import errno
import os
import pickle
from pathlib import Path

import pytest
import torch

from distill import load_vqvae_checkpoint, save_vqvae_checkpoint
from distill.errors import CheckpointError
from distill.training.run.checkpoint import list_checkpoints

STATE = {"model": {"weight": torch.arange(6.0)}, "step": 3, "nested": [1, {"a": "text"}]}


def test_what_is_loaded_is_what_was_saved(tmp_path: Path) -> None:
    path = save_vqvae_checkpoint(tmp_path / "checkpoints", STATE, step=400, val_loss=0.5)
    assert path.name == "step-000400.ckpt"
    state = load_vqvae_checkpoint(path)
    assert torch.equal(state["model"]["weight"], STATE["model"]["weight"])
    assert (state["step"], state["nested"]) == (3, [1, {"a": "text"}])


def test_the_newest_and_the_best_are_kept(tmp_path: Path) -> None:
    losses = [0.9, 0.2, float("nan"), 0.5, 0.4]
    for step, loss in enumerate(losses):
        save_vqvae_checkpoint(tmp_path, STATE, step=step, val_loss=loss, keep=2)
    assert [info.step for info in list_checkpoints(tmp_path)] == [4, 3, 1]
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".ckpt"] * 3


def test_truncated_or_altered_is_refused(tmp_path: Path) -> None:
    path = save_vqvae_checkpoint(tmp_path, STATE, step=1, val_loss=0.5)
    data = path.read_bytes()
    for altered in (data[:-1], data[: len(data) // 2], data[:-9] + b"x" + data[-8:]):
        path.write_bytes(altered)
        with pytest.raises(CheckpointError, match="truncated or altered; use an earlier"):
            load_vqvae_checkpoint(path)


def test_what_is_no_checkpoint_is_said_to_be_none(tmp_path: Path) -> None:
    ran = tmp_path / "ran"

    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (os.mkdir, (str(ran),))

    path = tmp_path / "step-000001.ckpt"
    for data in (b"", b"{}\n", pickle.dumps(Bomb()), b"[1, 2]\n"):
        path.write_bytes(data)
        with pytest.raises(CheckpointError, match="not a distill checkpoint"):
            load_vqvae_checkpoint(path)
    with pytest.raises(CheckpointError, match="No such file"):
        load_vqvae_checkpoint(tmp_path / "none.ckpt")
    assert not ran.exists()


def test_code_behind_a_valid_header_does_not_run(tmp_path: Path) -> None:
    ran = tmp_path / "ran"

    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (os.mkdir, (str(ran),))

    path = save_vqvae_checkpoint(tmp_path, {"bomb": Bomb()}, step=1, val_loss=0.5)
    with pytest.raises(CheckpointError, match="holds more than numbers and text"):
        load_vqvae_checkpoint(path)
    assert not ran.exists()


def test_a_full_disk_leaves_the_older_checkpoints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = save_vqvae_checkpoint(tmp_path, STATE, step=1, val_loss=0.5)

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            save_vqvae_checkpoint(tmp_path, STATE, step=2, val_loss=0.4)
    assert [path.name for path in tmp_path.iterdir()] == [first.name]
    assert load_vqvae_checkpoint(first)["step"] == 3
