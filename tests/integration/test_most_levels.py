"""A model of as many levels as there can be: everything that is kept of it can be read again."""

from __future__ import annotations

from pathlib import Path

import pytest

from distill import (
    AudioCorpus,
    CodebookAtlas,
    Codes,
    LoadedVQModel,
    RunFolder,
    VQVAEConfig,
    build_atlas,
    edit_metadata,
    load_model_v2,
    rate_distortion,
    read_audio,
    read_model_info,
    resume,
    train,
    train_prior,
)
from distill.config.vqvae import MOST_LEVELS
from distill.training.watch.event_lines import EPOCHS
from tests.families import tiny
from tests.priors import tiny_prior


@pytest.fixture(scope="module")
def run(corpus: AudioCorpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("most") / "run"
    train(tiny("vqvae", levels=MOST_LEVELS, max_steps=2), corpus, folder, "cpu")
    return folder


@pytest.fixture(scope="module")
def model(run: Path) -> LoadedVQModel:
    return load_model_v2(run / "model.distill")


def test_the_finest_preset_has_as_many() -> None:
    assert VQVAEConfig.preset("finest")["levels"] == MOST_LEVELS


def test_its_run_is_read_and_goes_on(run: Path) -> None:
    epochs = [event for event in RunFolder(run).read_events()[0] if isinstance(event, EPOCHS)]
    assert [len(epoch.health) for epoch in epochs] == [MOST_LEVELS] * len(epochs) != []
    assert resume(run, max_steps=3).steps == 3


def test_its_file_names_all_levels(model: LoadedVQModel, run: Path, tmp_path: Path) -> None:
    labels = [f"level {number}" for number in range(MOST_LEVELS)]
    copy = tmp_path / "copy.distill"
    copy.write_bytes((run / "model.distill").read_bytes())
    edit_metadata(copy, level_labels=labels)
    info = read_model_info(copy)
    assert list(info.metadata["level_labels"]) == labels
    assert len(info.codebook_health) == MOST_LEVELS
    assert load_model_v2(copy).digest == model.digest


def test_its_codes_and_its_atlas_are_kept(
    model: LoadedVQModel, corpus: AudioCorpus, sounds_dir: Path, tmp_path: Path
) -> None:
    codes = model.encode(*read_audio(sounds_dir / "drum-01.wav"))
    codes.save(tmp_path / "one.codes.npz")
    assert Codes.load(tmp_path / "one.codes.npz").levels == codes.levels == MOST_LEVELS
    atlas = build_atlas(model, corpus, progress=False)
    atlas.save(tmp_path / "one.atlas.npz")
    assert len(CodebookAtlas.load(tmp_path / "one.atlas.npz").labels) == MOST_LEVELS
    report = rate_distortion(model, corpus, progress=False)
    assert report.levels == len(report.mel) == MOST_LEVELS


def test_a_prior_of_its_codes_is_kept_and_makes_sound(
    model: LoadedVQModel, corpus: AudioCorpus, tmp_path: Path
) -> None:
    settings = tiny_prior(model, max_steps=1, copies=0)
    result = train_prior(model, corpus, tmp_path / "prior", settings, "cpu")
    learned = load_model_v2(result.model_path)
    assert len(learned.prior.health) == MOST_LEVELS
    assert learned.generate(0.2, seed=1).levels == MOST_LEVELS
