from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from distill import TrainingRunner, VQVAEConfig, train_vqvae
from distill.errors import DistillError
from distill.training.run.sounds_inside import refuse_sounds_inside


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("where", ["itself", "inside", "a file", "through a link"])
def test_a_run_never_goes_where_its_sounds_lie(
    where: str, overwrite: bool, sounds_dir: Path, tiny_config: VQVAEConfig, tmp_path: Path
) -> None:
    run, source = tmp_path / "run", tmp_path / "run" / "previews"
    source.mkdir(parents=True)
    shutil.copy(sounds_dir / "drum-01.wav", source)
    (run / "run.json").write_text("{}")
    sounds = {
        "itself": run, "inside": source, "a file": source / "drum-01.wav", "through a link": source
    }[where]  # fmt: skip
    if where == "through a link":
        (tmp_path / "other").symlink_to(run)
        run = tmp_path / "other"
    with pytest.raises(DistillError):
        train_vqvae(tiny_config, sounds, run, "cpu", overwrite=overwrite)
    expected = (
        r"the recordings lie there .*; choose another folder|a distill run, not"
        if overwrite
        else None
    )
    with pytest.raises(DistillError, match=expected):
        TrainingRunner().start_vqvae(tiny_config, sounds, run, "cpu", overwrite=overwrite)
    assert (source / "drum-01.wav").read_bytes() == (sounds_dir / "drum-01.wav").read_bytes()


def test_a_run_beside_or_within_the_sounds_is_welcome(tmp_path: Path) -> None:
    (tmp_path / "sounds").mkdir()
    refuse_sounds_inside(tmp_path / "sounds" / "run", [tmp_path / "sounds"])
    refuse_sounds_inside(tmp_path / "run", [tmp_path / "sounds", tmp_path / "missing"])
