"""Files made by the first version keep opening: models, codes, atlases, runs, checkpoints."""

from __future__ import annotations

import json
import platform
import shutil
from pathlib import Path

import pytest
import torch

import distill

OLD = Path(__file__).parent / "data" / "first_version"
FACTS = json.loads((OLD / "facts.json").read_text())


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A copy whose runs name the copied sounds, on this machine."""
    copy = tmp_path / "old"
    shutil.copytree(OLD, copy)
    for name in ("finished", "stopped"):
        request, status = copy / name / "run.json", copy / name / "status.json"
        request.write_text(request.read_text().replace("SOUNDS", str(copy / "sounds")))
        status.write_text(status.read_text().replace("elsewhere", platform.node()))
    return copy


def test_a_model_opens_and_says_what_it_was(old: Path) -> None:
    model = distill.load_model_v2(old / "finished" / "model.distill")
    assert model.metadata["name"] == "old"
    assert [level.entries for level in model.codebook_health] == [8, 8, 8]
    assert len(model.loss_curves["val"]) == FACTS["epochs_finished"]


def test_a_model_makes_the_codes_it_made(old: Path) -> None:
    model = distill.load_model_v2(old / "finished" / "model.distill")
    corpus = distill.AudioCorpus.scan(old / "sounds", progress=False)
    model.refinements = 0  # that version knew none
    made = model.encode(corpus.waveforms[0], corpus.sample_rate).indices
    same = (made == torch.tensor(FACTS["codes"])).float().mean()
    assert same > 0.9  # another processor may round a tie the other way


def test_codes_open_and_sound(old: Path) -> None:
    model = distill.load_model_v2(old / "finished" / "model.distill")
    codes = distill.Codes.load(old / "codes.npz")
    assert codes.indices.tolist() == FACTS["codes"]
    sound, _ = model.decode(codes)
    assert len(sound) == codes.samples
    assert float(sound.abs().max()) > 0


def test_an_atlas_opens(old: Path) -> None:
    atlas = distill.CodebookAtlas.load(old / "atlas.npz")
    assert (atlas.levels, atlas.entries) == (3, 8)


@pytest.mark.parametrize("name", ["finished", "stopped"])
def test_a_run_is_listed_and_drawn(old: Path, name: str) -> None:
    runner = distill.TrainingRunner.attach(old / name)
    assert runner.state == name
    assert runner.wait(progress=False) is not None
    history = runner.history
    steps = {"finished": FACTS["steps_finished"], "stopped": 6}[name]
    assert len(history.steps["loss"]) == steps
    assert history.epochs[-1].health
    assert {(row.over, row.other_samples) for row in history.epochs[-1].health} == {("", 0)}
    assert history.curves()["val"]
    assert {entry.path.name for entry in distill.TrainingRunner.list(old)} == {
        "finished",
        "stopped",
    }


def test_a_stopped_run_is_resumed_to_its_end(old: Path) -> None:
    result = distill.resume_vqvae(old / "stopped")
    assert result.steps == 12
    assert result.load().metadata["name"] == "stopped"


def test_a_finished_run_becomes_longer(old: Path) -> None:
    assert distill.resume_vqvae(old / "finished", max_steps=16).steps == 16


def test_a_run_whose_log_was_deleted_is_resumed_and_says_so(old: Path) -> None:
    (old / "stopped" / "events.jsonl").unlink()
    result = distill.resume_vqvae(old / "stopped")
    assert result.steps == 12
    [said] = [w.message for w in result.history.warnings if w.kind == "events"]
    assert said.startswith("events.jsonl was deleted since the checkpoint")
    assert b"\0" not in (old / "stopped" / "events.jsonl").read_bytes()
