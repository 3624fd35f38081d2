"""A family of another package trains, resumes, saves and loads as those that distill brings."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch

import distill
from distill import (
    AudioCorpus,
    EpochMetrics,
    MetricsHistory,
    RunFolder,
    StepMetrics,
    TrainingResult,
    TrainingRunner,
    family as families,
    load_checkpoint,
    load_model,
    save_model,
)
from distill.errors import CheckpointError, ModelTypeError, RunFolderError
from distill.training.run.checkpoint import list_checkpoints
from distill.training.run.request import RunRequest
from distill.training.run.start import RunStart
from distill_widgets import TrainingDashboard, report

pytestmark = pytest.mark.slow
PACKAGE = Path(__file__).parent / "data" / "toy_family"


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The package, installed as far as this process and those it starts can see."""
    place = tmp_path_factory.mktemp("site") / "packages"
    shutil.copytree(PACKAGE, place)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(place)
        patch.setenv("PYTHONPATH", os.pathsep.join([str(place), os.environ.get("PYTHONPATH", "")]))
        patch.setattr(families, "_registered", dict(families._registered))
        yield importlib.import_module("toy_family")
        sys.modules.pop("toy_family", None)


@pytest.fixture(scope="module")
def run(toy: ModuleType, corpus: AudioCorpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was trained in a process of its own, stopped amid, and resumed in another."""
    path = tmp_path_factory.mktemp("runs") / "toy"
    config = toy.ToyConfig(
        width=8, latent_dim=4, batch_size=2, segment_frames=16, encoder_depth=1, decoder_depth=1,
        min_steps_per_epoch=4, max_steps=6, health_every_steps=3, preview_every_epochs=0,
    )  # fmt: skip
    with_runner(lambda runner: runner.start(config, corpus, path, "cpu"))
    with_runner(lambda runner: runner.resume(path, max_steps=10))
    return path


def with_runner(begin: object) -> TrainingResult:
    runner = TrainingRunner()
    try:
        result = begin(runner).wait(120, progress=False)  # type: ignore[operator]
        assert result is not None
        return result
    finally:
        runner.close()


def test_it_is_known_by_its_entry_point(toy: ModuleType) -> None:
    assert "toy" in families.known_families()
    assert families.family("toy") is toy.FAMILY


def test_its_events_are_steps_and_epochs_with_parts_by_name(run: Path, toy: ModuleType) -> None:
    events, _ = RunFolder(run).read_events()
    steps = [event for event in events if isinstance(event, StepMetrics)]
    assert [event.step for event in steps] == list(range(10))
    assert {event.family for event in steps} == {"toy"}
    assert list(steps[0].parts) == ["reconstruction", "sparsity"]
    assert [bool(event.health) for event in steps[:6]] == [False, False, True] * 2
    assert isinstance(steps[2].health[0], toy.ToyHealth) and len(steps[2].health[0].sizes) == 4
    [first, *_] = [event for event in events if isinstance(event, EpochMetrics)]
    assert first.val_loss == pytest.approx(
        first.val_parts["reconstruction"] + 0.1 * first.val_parts["sparsity"], rel=1e-4
    )


def test_its_history_has_a_column_for_each_part(run: Path) -> None:
    runner = TrainingRunner.attach(run)
    history = runner.history
    runner.close()
    assert type(history) is MetricsHistory
    assert list(history.steps) == [
        "step", "loss", "reconstruction", "sparsity", "learning_rate", "gradient_norm",
    ]  # fmt: skip
    assert len(history.steps["sparsity"]) == 10 and history.last_health is not None
    assert list(history.curves()) == ["epoch", "train", "val", "reconstruction", "sparsity"]
    assert MetricsHistory.from_json(history.to_json()) == history


def test_its_file_is_opened_and_saved_by_the_generic_calls(
    run: Path, toy: ModuleType, tmp_path: Path
) -> None:
    model = load_model(run / "model.distill")
    assert type(model) is toy.LoadedToy
    assert (model.config.sparsity, model.name) == (0.1, "toy")
    assert isinstance(model.health[0], toy.ToyHealth)
    save_model(tmp_path / "again.distill", model)
    again = load_model(tmp_path / "again.distill")
    assert again.digest == model.digest
    sound, rate = again.reconstruct(torch.randn(9600) * 0.1, 48_000)
    assert (len(sound), rate) == (9600, 48_000)


def test_a_run_of_one_family_is_not_resumed_as_another(run: Path, tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="a run of type 'toy', which resume_vqvae does not"):
        distill.resume_vqvae(run)
    checkpoint = list_checkpoints(run / "checkpoints")[0].path
    with pytest.raises(
        CheckpointError, match=r"family: is of a run of type 'toy'; expected 'vqvae' as in run"
    ):
        load_checkpoint(checkpoint, distill.VQVAEConfig())


def test_a_run_with_settings_of_another_family_says_so(run: Path) -> None:
    request = RunFolder(run).read_request()
    message = r"model of type 'vqvae' \(RVQ-VAE\), and its settings are those of 'toy' \("
    with pytest.raises(RunFolderError, match=message):
        RunRequest.from_dict({**request, "model_type": "vqvae"})


def test_a_family_that_nobody_knows_names_those_that_are_known(run: Path, tmp_path: Path) -> None:
    copied = tmp_path / "copied"
    shutil.copytree(run, copied)
    request = json.loads((copied / "run.json").read_text())
    (copied / "run.json").write_text(json.dumps({**request, "model_type": "toi"}))
    message = r"a model of type 'toi': expected vqvae"
    with pytest.raises(RunFolderError, match=message):
        distill.resume(copied, max_steps=20)
    [listed] = TrainingRunner.list(copied)
    assert listed.state == "damaged" and "'toi': expected vqvae" in listed.problem
    with pytest.raises(ModelTypeError, match=message):
        families.family("toi")


def test_a_package_that_cannot_be_imported_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "broken"
    shutil.copytree(PACKAGE, place)
    (place / "toy_family.py").write_text("import nothing_of_that_name\n")
    (place / "toy_family-1.0.dist-info" / "entry_points.txt").write_text(
        "[distill.families]\nbroken = toy_family:FAMILY\n"
    )
    monkeypatch.syspath_prepend(place)
    monkeypatch.delitem(sys.modules, "toy_family", raising=False)
    with pytest.raises(ModelTypeError, match="'broken': the package that brings it cannot be"):
        families.family("broken")


def test_it_always_starts_from_nothing(toy: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelTypeError, match=r"^start='base': a toy autoencoder model can"):
        RunStart.chosen("base", toy.ToyConfig())
    monkeypatch.setattr("distill.training.run.start.DEFAULT_START", "base")
    assert RunStart.chosen(None, toy.ToyConfig()) == RunStart()


def test_a_dashboard_and_a_report_show_it(run: Path) -> None:
    dashboard = TrainingDashboard(run)
    try:
        titles = [note["text"] for note in dashboard.loss.chart.figure()["layout"]["annotations"]]
        assert [title for title in titles if title] == ["reconstruction", "sparsity"]
        assert "numbers" in dashboard.health.value
        assert dashboard.head.state["word"] == "finished"
    finally:
        dashboard.close()
    assert "sparsity" in str(report(run).outputs())
