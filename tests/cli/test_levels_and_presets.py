"""`--levels` of encode, decode and reconstruct, and `--preset` of train."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from distill import Codes, load_model_v2
from distill.cli import training
from distill.cli.app import _invoke
from distill.cli.files import Options, convert
from distill.errors import ConfigError
from distill.training import TrainingResult
from tests.command_line import distill

SOUNDS = Path(__file__).parents[1] / "data" / "first_version" / "sounds"


def test_some_levels_are_encoded_and_decoded(
    trained: TrainingResult,
    sounds_dir: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model, sound = trained.model_path, sounds_dir / "drum-01.wav"
    codes, two = tmp_path / "codes.npz", Options(levels=2)
    assert convert("encode", model, sound, codes, "cpu", two) == 0
    said = capsys.readouterr()
    assert said.err == "distill: 2 of 3 levels, 375 bit/s\n"
    assert said.out == f"{codes}\n"
    assert Codes.load(codes).levels == 2
    for kind, source in (("decode", codes), ("reconstruct", sound)):
        assert convert(kind, model, source, tmp_path / f"{kind}.wav", "cpu", two) == 0
    made = [(tmp_path / f"{kind}.wav").read_bytes() for kind in ("decode", "reconstruct")]
    assert made[0] == made[1]


def test_quick_codes_are_those_of_the_encoder(
    trained: TrainingResult, trained_vae: TrainingResult, sounds_dir: Path, tmp_path: Path
) -> None:
    model, sound = trained.load(), sounds_dir / "drum-01.wav"
    for quick in (False, True):
        path = tmp_path / f"{quick}.npz"
        convert("encode", trained.model_path, sound, path, "cpu", Options(quick=quick))
        model.refinements = 0 if quick else type(model).refinements
        assert torch.equal(Codes.load(path).indices, model.encode_file(sound).indices)
    a_vae_is_always = Options(quick=True)
    assert (
        convert(
            "encode", trained_vae.model_path, sound, tmp_path / "vae.npz", "cpu", a_vae_is_always
        )
        == 0
    )


def test_levels_that_a_model_does_not_have_are_refused_before_anything_is_written(
    trained: TrainingResult, trained_vae: TrainingResult, sounds_dir: Path, tmp_path: Path
) -> None:
    sound, out = sounds_dir / "drum-01.wav", tmp_path / "out.npz"
    for model, levels, message in (
        (trained.model_path, 0, "^levels=0: expected a whole number from 1 to 3$"),
        (trained.model_path, 4, "^levels=4: expected a whole number from 1 to 3$"),
        (trained_vae.model_path, 1, "^levels=1: this model has no levels of codes; leave it out$"),
    ):
        with pytest.raises(ConfigError, match=message):
            convert("encode", model, sound, out, "cpu", Options(levels=levels))
    assert not out.exists()


def test_the_command_takes_whole_numbers_alone(
    trained: TrainingResult, sounds_dir: Path, tmp_path: Path
) -> None:
    command = ["encode", trained.model_path, sounds_dir / "drum-01.wav"]
    command += ["--out", tmp_path / "codes.npz", "--levels"]
    answer = distill(*command, "1.5")
    assert answer.returncode == 2
    assert "'--levels'" in answer.stderr and "valid int" in answer.stderr
    answer = distill(*command, "1")
    assert answer.returncode == 0, answer.stderr
    assert Codes.load(tmp_path / "codes.npz").levels == 1


def invoke(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    monkeypatch.setattr(sys, "argv", ["distill", *map(str, arguments)])
    _invoke()


def test_a_preset_sets_what_other_options_do_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Enough(Exception):
        """Raised where training would begin."""

    seen: list[Any] = []

    def noted(config: Any, *_more: Any, **_options: Any) -> None:
        seen.append(config)
        raise Enough

    monkeypatch.setattr(training, "train", noted)
    for more, shape in (
        ([], (16, 256, 2)),
        (["--rvq-levels", 5], (5, 256, 2)),
        (["--codebook-size", 32, "--seed", 4], (16, 32, 2)),
    ):
        with pytest.raises(Enough):
            invoke(
                monkeypatch, "train", SOUNDS, "--out", tmp_path / "run", "--preset", "finest", *more
            )
        config = seen.pop()
        assert (config.levels, config.codebook_size, config.stride) == shape


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--preset", "best"], "^preset='best': no such preset; known: draft, balanced, fine"),
        (["--preset", "fine", "--family", "vae"], "no such preset; this family has none$"),
        (["--preset", "fine", "--resume", "a"], "^--resume goes with"),
    ],
)
def test_a_preset_that_cannot_be_is_refused_before_the_sounds_are_read(
    arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    with pytest.raises(ConfigError, match=message):
        invoke(monkeypatch, "train", tmp_path / "nothing", "--out", out, *arguments)
    assert not out.exists()


def test_the_finest_preset_trains_and_says_its_rate(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, train = tmp_path / "run", training.train

    def of_little(config: Any, *more: Any, **options: Any) -> TrainingResult:
        little = dataclasses.replace(config, preview_every_epochs=0, width=16, latent_dim=8)
        return train(little, *more, **options)

    monkeypatch.setattr(training, "train", of_little)
    invoke(
        monkeypatch, "train", SOUNDS, "--out", run, "--preset", "finest", "--max-steps", 1,
        "--device", "cpu",
    )  # fmt: skip
    assert "16 levels × 256 entries, 46.9 steps/s, 6000 bit/s" in capsys.readouterr().out
    assert load_model_v2(run / "model.distill").config.bits_per_second == 6000
