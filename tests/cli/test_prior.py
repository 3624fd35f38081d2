"""`distill train-prior` and `distill generate`: the whole way, and what goes wrong on it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from distill import load_model_v2, read_audio
from distill.cli.info import describe
from distill.cli.prior import generate_command
from distill.errors import OutputExistsError, PriorError
from distill.training import TrainingResult

SOUNDS = Path(__file__).parents[1] / "data" / "first_version" / "sounds"


def distill(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "distill.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=240)


@pytest.fixture
def model(trained: TrainingResult, tmp_path: Path) -> Path:
    path = tmp_path / "drums.distill"
    path.write_bytes(trained.model_path.read_bytes())
    return path


def test_from_a_model_to_new_sounds(model: Path, tmp_path: Path) -> None:
    answer = distill("train-prior", model, SOUNDS, "--max-steps", 2, "--device", "cpu", "--json")
    assert answer.returncode == 0, answer.stderr
    said = json.loads(answer.stdout)
    assert said["steps"] == 2 and said["bits_per_step"] > 0
    assert (tmp_path / "drums-prior" / "model.distill").is_file()
    assert load_model_v2(model).has_prior
    assert "prior      " in describe(model, as_json=False)
    assert json.loads(describe(model, as_json=True))["has_prior"] is True

    out = tmp_path / "new"
    answer = distill("generate", model, "--seconds", 0.5, "--count", 2, "--seed", 3, "--out", out)
    assert answer.returncode == 0, answer.stderr
    assert sorted(path.name for path in out.iterdir()) == ["drums-0003.wav", "drums-0004.wav"]
    assert len(read_audio(out / "drums-0003.wav")[0]) == 24_000
    lines = answer.stdout.splitlines()
    assert len(lines) == 4 and all("recordings" in line or "cop" in line for line in lines[1::2])
    with pytest.raises(OutputExistsError, match=r"drums-0003\.wav: is there already"):
        generate(model, out)


def test_a_model_without_a_prior_says_how_to_train_one(model: Path, tmp_path: Path) -> None:
    with pytest.raises(PriorError, match=r"train one: distill train-prior drums\.distill FOLDER"):
        generate(model, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def generate(model: Path, out: Path) -> None:
    generate_command(
        model, out, seconds=0.25, count=1, seed=3, prompt=None, settings={}, overwrite=False,
        device="cpu",
    )  # fmt: skip
