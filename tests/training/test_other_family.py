"""A run of one family taken for one of another, in every direction and by every way in: refused
with both names and what to do, and the run is as it was.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from distill import AudioCorpus, RunFolder, TrainingRunner, load_checkpoint, resume, train
from distill.config import AutoencoderConfig
from distill.errors import CheckpointError, DistillError, ModelTypeError, RunFolderError
from distill.family import family, known_families
from distill.training.run.checkpoint import list_checkpoints
from distill.training.run.request import RunRequest
from tests.command_line import distill
from tests.families import FAMILIES, tiny


@dataclass(frozen=True, kw_only=True)
class StrangeConfig(AutoencoderConfig):
    """Settings of no family."""


PAIRS = list(permutations(FAMILIES, 2))


@pytest.fixture(scope="module")
def trained_runs(corpus: AudioCorpus, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A run of each family; copy it."""
    place = tmp_path_factory.mktemp("runs")
    for name in FAMILIES:
        train(tiny(name, max_steps=2, preview_every_epochs=0), corpus, place / name, "cpu")
    return {name: place / name for name in FAMILIES}


@pytest.fixture(params=PAIRS, ids="-as-".join)
def pair(request: pytest.FixtureRequest) -> tuple[str, str]:
    """The family of a run, and another."""
    own, other = request.param
    return own, other


@pytest.fixture
def run(pair: tuple[str, str], trained_runs: dict[str, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained_runs[pair[0]], tmp_path / "run"))


def edit(run: Path, **fields: Any) -> None:
    request = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**request, **fields}))


def in_background(run: Path) -> None:
    runner = TrainingRunner("thread")
    try:
        runner.resume(run, max_steps=4).wait(120, progress=False)
    finally:
        runner.close()


WAYS: dict[str, Callable[[Path], Any]] = {
    "here": lambda run: resume(run, max_steps=4),
    "runner": in_background,
}


@pytest.mark.parametrize("way", WAYS)
def test_settings_of_another_family_than_a_run_says(
    way: str, pair: tuple[str, str], run: Path
) -> None:
    own, other = map(family, pair)
    edit(run, model_type=other.name)
    with pytest.raises(RunFolderError) as caught:
        WAYS[way](run)
    assert str(caught.value) == (
        f"run.json cannot be used: it asks for a model of type {other.name!r} ({other.title}), and "
        f"its settings are those of {own.name!r} ({own.title}): a run is resumed as what it began "
        f'as. Put its "model_type" back to "{own.name}", or begin a new run in another folder'
    )
    [listed] = TrainingRunner.list(run)
    assert listed.state == "damaged" and listed.problem == str(caught.value)
    edit(run, model_type=own.name)
    assert resume(run, max_steps=4).steps == 4


@pytest.mark.parametrize("way", WAYS)
def test_a_checkpoint_of_another_family_than_the_run(
    way: str, pair: tuple[str, str], run: Path, corpus: AudioCorpus
) -> None:
    """As where the run.json of another run was copied over its own."""
    own, other = pair
    before = (run / "run.json").read_bytes()
    request = RunRequest.of(tiny(other, max_steps=2), corpus, name="run", device="cpu")
    edit(run, **request.to_dict())
    checkpoints = sorted(file.name for file in (run / "checkpoints").iterdir())
    with pytest.raises(CheckpointError, match="none of its checkpoints can be read") as caught:
        WAYS[way](run)
    for said in (f"of a run of type {own!r}; expected {other!r} as in run.json", "a new run"):
        assert said in str(caught.value)
    assert sorted(file.name for file in (run / "checkpoints").iterdir()) == checkpoints
    (run / "run.json").write_bytes(before)
    assert resume(run, max_steps=4).steps == 4


def test_a_checkpoint_is_asked_for_with_settings_of_another_family(
    pair: tuple[str, str], run: Path
) -> None:
    own, other = pair
    newest = list_checkpoints(run / "checkpoints")[0].path
    message = f"{newest.name}: family: is of a run of type {own!r}; expected {other!r} as in run"
    with pytest.raises(CheckpointError, match=f"^{message}"):
        load_checkpoint(newest, tiny(other))


def test_the_command_line_is_told_another_family(pair: tuple[str, str], run: Path) -> None:
    own, other = map(family, pair)
    before = (run / "events.jsonl").read_bytes()
    answer = distill("train", "--resume", run, "--max-steps", 4, "--family", other.name)
    assert answer.returncode == 2
    said = f"is a run of type {own.name!r} ({own.title}), not {other.name!r} ({other.title})"
    assert said in answer.stderr and f"--out ANOTHER --family {other.name}" in answer.stderr
    assert (run / "events.jsonl").read_bytes() == before


def test_the_command_line_is_told_the_right_family(pair: tuple[str, str], run: Path) -> None:
    from distill.cli.training import resume_command

    changes = {"max_steps": 4, "sounds": None, "new_sounds": False, "devices": None}
    assert resume_command(run, changes, as_json=True, kind=pair[0]).steps == 4


def test_a_family_that_nobody_knows_names_those_that_are(
    trained_runs: dict[str, Path], corpus: AudioCorpus, tmp_path: Path
) -> None:
    """Of settings, and of a run; files and the command line have tests of their own."""
    known = " or ".join(known_families())
    message = f"^settings of type StrangeConfig: expected those of {known}$"
    for begin in (train, TrainingRunner().start):
        with pytest.raises(ModelTypeError, match=message):
            begin(StrangeConfig(), corpus, tmp_path / "run", "cpu")  # type: ignore[operator]
    assert not (tmp_path / "run").exists()
    run = Path(shutil.copytree(trained_runs["vae"], tmp_path / "run"))
    edit(run, model_type="vaf")
    said = f"run.json cannot be used: it asks for a model of type 'vaf': expected {known}"
    for way in WAYS.values():
        with pytest.raises(RunFolderError, match=f"^{said}$"):
            way(run)
    with pytest.raises(DistillError, match=f"^{said}$"):
        RunRequest.from_dict(RunFolder(run).read_request())
