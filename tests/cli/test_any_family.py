"""The continuous family on the command line; what both share is in test_cli.py."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from distill import Latents, LoadedVAE, load_model
from distill.cli.files import convert
from distill.errors import DistillError
from distill.family import known_families
from distill.training import TrainingResult
from tests.command_line import distill

SOUNDS = Path(__file__).parents[1] / "data" / "first_version" / "sounds"


def test_a_continuous_model_is_trained_and_described(tmp_path: Path) -> None:
    run = tmp_path / "run"
    answer = distill(
        "train", SOUNDS, "--out", run, "--family", "vae", "--epochs", 1, "--device", "cpu", "--json"
    )
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["epochs"] == 1
    assert isinstance(load_model(run / "model.distill"), LoadedVAE)
    described = distill("info", run / "model.distill")
    assert described.returncode == 0 and "16 dimensions" in described.stdout


def test_a_family_that_nobody_knows_is_named_with_those_that_are(tmp_path: Path) -> None:
    answer = distill("train", SOUNDS, "--out", tmp_path / "run", "--family", "vaf")
    assert answer.returncode == 2
    assert f"'vaf': expected {' or '.join(known_families())}" in answer.stderr
    assert not (tmp_path / "run").exists()


def test_encode_then_decode_equals_reconstruct(
    trained_vae: TrainingResult, sounds_dir: Path, tmp_path: Path
) -> None:
    model, sound = trained_vae.model_path, sounds_dir / "drum-01.wav"
    latents, one, other = (tmp_path / name for name in ("a.npz", "one.wav", "other.wav"))
    assert convert("encode", model, sound, latents, "cpu") == 0
    assert convert("decode", model, latents, one, "cpu") == 0
    assert convert("reconstruct", model, sound, other, "cpu") == 0
    assert Latents.load(latents).dims == 8
    assert np.array_equal(soundfile.read(one)[0], soundfile.read(other)[0])


def test_what_the_other_family_encoded_is_refused(
    trained: TrainingResult, trained_vae: TrainingResult, sounds_dir: Path, tmp_path: Path
) -> None:
    sound = sounds_dir / "drum-01.wav"
    for maker, reader, message in (
        (trained, trained_vae, r"^trained\.npz: not a readable file of latents"),
        (trained_vae, trained, r"^breath\.npz: not a readable file of codes"),
    ):
        encoded = tmp_path / f"{maker.model_path.parent.name}.npz"
        convert("encode", maker.model_path, sound, encoded, "cpu")
        with pytest.raises(DistillError, match=message):
            convert("decode", reader.model_path, encoded, tmp_path / "out.wav", "cpu")
    assert not (tmp_path / "out.wav").exists()
