"""`distill train-prior` and `distill generate`: the whole way, and what goes wrong on it."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
import typer

from distill import load_model_v2, read_audio
from distill.cli.info import describe
from distill.cli.new_sounds import _Stops, generate_command, remake_command
from distill.cli.prior import conditions_of, train_prior_command
from distill.cli.prior_commands import generate as generate_of_cli
from distill.cli.training import resume_command
from distill.errors import (
    ConfigError,
    ModelFileError,
    OutputExistsError,
    PriorError,
    RunFolderError,
)
from distill.models.prior.stream import CodeStream
from distill.models.prior.wanted import typed_levels
from distill.training import TrainingResult
from distill.training.session.signals import STOP_WITHIN_S, StopSignals
from tests.command_line import distill
from tests.priors import untrained

SOUNDS = Path(__file__).parents[1] / "data" / "first_version" / "sounds"


@pytest.fixture
def model(trained: TrainingResult, tmp_path: Path) -> Path:
    path = tmp_path / "drums.distill"
    path.write_bytes(trained.model_path.read_bytes())
    return path


@pytest.fixture
def with_prior(model: Path) -> Path:
    made = load_model_v2(model)
    made.use_prior(untrained(made, torch.zeros(9, 3, dtype=torch.int32)))
    return made.save(model, overwrite=True)


def test_from_a_model_to_new_sounds(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = distill("train-prior", model, SOUNDS, "--max-steps", 2, "--device", "cpu", "--json")
    assert answer.returncode == 0, answer.stderr
    said = json.loads(answer.stdout)
    assert said["steps"] == 2 and said["bits_per_step"] > 0
    assert (tmp_path / "drums-prior" / "model.distill").is_file()
    assert load_model_v2(model).has_prior
    assert "prior      " in describe(model, as_json=False)
    assert json.loads(describe(model, as_json=True))["has_prior"] is True

    out = tmp_path / "new"
    answer = distill("generate", model, "--seconds", 0.5, "--count", 2, "--seed", 3, "--out", out,
                     "--loudness", "-20,0")  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    assert sorted(path.name for path in out.iterdir()) == ["drums-0003.wav", "drums-0004.wav"]
    assert len(read_audio(out / "drums-0003.wav")[0]) == 24_000
    lines = answer.stdout.splitlines()
    assert len(lines) == 4 and all("recordings" in line or "cop" in line for line in lines[1::2])
    with pytest.raises(OutputExistsError, match=r"drums-0003\.wav: is there already"):
        generate(model, out)
    generate(model, out, seed=9, nearest=True)
    assert "  nearest recording: " in capsys.readouterr().out
    remake_command(out / "drums-0003.wav", tmp_path, None, None, overwrite=False, device="cpu")
    again = out / "drums-0003.again.wav"
    assert again.read_bytes() == (out / "drums-0003.wav").read_bytes()


@pytest.mark.parametrize("mode", [0o444, 0o400])
def test_a_model_that_may_only_be_read_is_said_before_a_prior_is_learned(
    model: Path, tmp_path: Path, mode: int
) -> None:
    model.chmod(mode)
    with pytest.raises(ModelFileError, match=r"drums\.distill: may only be read, and a prior is "):
        train(model, tmp_path / "run", max_steps=2)
    model.chmod(0o644)
    assert not (tmp_path / "run").exists()


def test_a_model_without_a_prior_says_how_to_train_one(model: Path, tmp_path: Path) -> None:
    with pytest.raises(PriorError, match=r"train one: distill train-prior drums\.distill FOLDER"):
        generate(model, tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"seconds": 0}, "^seconds=0: expected above 0"),
        ({"seed": -1}, "^seed=-1: expected a whole number from 0 on$"),
        ({"seed": 2**63 - 1, "count": 2}, "expected a whole number from 0 to 9223372036854775806$"),
        ({"settings": {"temperature": -1.0}}, "^temperature=-1.0: expected"),
        ({"count": 0}, "^count=0: expected"),
        ({"settings": {"loudness": typed_levels("-20,0")}}, "^this prior was trained without"),
    ],
)
def test_what_is_wrong_is_said_before_a_folder_is_made(
    with_prior: Path, tmp_path: Path, asked: dict[str, Any], message: str
) -> None:
    with pytest.raises((ConfigError, PriorError), match=message):
        generate(with_prior, tmp_path / "new", **asked)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("loop", [False, True])
def test_interrupted_it_leaves_a_whole_file_and_makes_no_more(
    with_prior: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    loop: bool,
) -> None:
    steps, draw = iter(range(10**9)), CodeStream.next

    def interrupted(stream: CodeStream, *given: Any, **how: Any) -> tuple[int, ...]:
        if next(steps) == 20:
            signal.raise_signal(signal.SIGINT)
        return draw(stream, *given, **how)

    monkeypatch.setattr(CodeStream, "next", interrupted)
    out = tmp_path / "new"
    with pytest.raises(typer.Exit) as ended:
        generate_of_cli(with_prior, seconds=1.0, count=3, seed=3, out=out, loop=loop)
    assert ended.value.exit_code == 130
    assert [path.name for path in out.iterdir()] == ["drums-0003.wav"]
    seconds = len(read_audio(out / "drums-0003.wav")[0]) / 48_000
    assert seconds == pytest.approx(1.0 if loop else 21 * 1024 / 48_000, abs=0.03)
    assert loop or "  interrupted: the first 448 ms of 1.0 s" in capsys.readouterr().out


def test_conditions_and_levels_are_typed_with_commas() -> None:
    assert conditions_of("position, class") == ("class", "position") and conditions_of("none") == ()
    with pytest.raises(ConfigError, match=r"^conditions: 'pitch': expected some of class, loudne"):
        conditions_of("pitch")
    assert typed_levels("-40,0, -30.5") == [-40.0, 0.0, -30.5]
    with pytest.raises(ConfigError, match=r"^loudness='loud': expected levels in dB with commas"):
        typed_levels("loud")


def test_a_file_in_place_of_the_folder_is_said(with_prior: Path, tmp_path: Path) -> None:
    (tmp_path / "new").write_text("mine")
    with pytest.raises(OutputExistsError, match=r"new: a file; name a folder for the sounds$"):
        generate(with_prior, tmp_path / "new")


def test_what_an_earlier_run_learned_is_put_into_the_model_once_more(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, without = tmp_path / "drums-prior", model.read_bytes()
    train(model, run, max_steps=2)
    learned = load_model_v2(model).prior.module.begin
    model.write_bytes(without)  # as if it had been killed just before
    train(model, run, max_steps=2)
    assert "has learned this prior already" in capsys.readouterr().out
    assert torch.equal(load_model_v2(model).prior.module.begin, learned)
    with pytest.raises(RunFolderError, match="holds an earlier run"):
        train(model, run, max_steps=3)

    model.write_bytes(without)
    status = json.loads((run / "status.json").read_text())
    (run / "status.json").write_text(json.dumps({**status, "state": "stopped"}))
    train(model, run, max_steps=2)
    assert "stopped; resuming it" in capsys.readouterr().out
    assert load_model_v2(model).has_prior

    resume_command(run, {"max_steps": 4}, as_json=False)
    said = capsys.readouterr().out.splitlines()[-1]
    assert said.endswith(f"distill train-prior MODEL {SOUNDS} --out {run}")


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_who_may_be_killed_next_makes_sound_for_seconds_only(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("distill.training.session.signals.time.monotonic", lambda: now)
    signals = StopSignals()
    stops = _Stops(signals)
    assert not stops.next_one()
    signals.receive(getattr(signal, name))
    assert stops.next_one()  # drawing ends
    assert not stops.next_one()  # what is drawn becomes sound
    now += STOP_WITHIN_S + 0.1
    assert stops.next_one() == (name != "SIGINT")  # a person waits, or presses it again
    signals.receive(signal.SIGINT)
    assert stops.next_one()


def train(model: Path, run: Path, **settings: Any) -> None:
    train_prior_command(model, SOUNDS, run, settings, device="cpu", overwrite=False, as_json=False)


def generate(model: Path, out: Path, **asked: Any) -> None:
    usual = {"seconds": 0.25, "count": 1, "seed": 3, "prompt": None, "settings": {}, "loop": False}
    generate_command(model, out, **{**usual, **asked}, overwrite=False, device="cpu")
