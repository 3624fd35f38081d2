from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from distill import (
    AudioCorpus,
    LoadedVQModel,
    RunFolder,
    VQVAEConfig,
    compare,
    mel_distance,
    train,
    train_vqvae,
)
from distill.analysis import Comparison
from distill.analysis.unique_names import numbered, short_names
from distill.config import SpectrogramConfig
from distill.errors import (
    AudioFileError,
    CheckpointError,
    ComparisonError,
    NotAModelError,
    PartError,
    RunFolderError,
    ShapeError,
)
from distill.training import TrainingResult
from distill.training.run.marks import change_mark
from distill_widgets import CompareView
from tests.families import tiny


@pytest.fixture(scope="module")
def other(corpus: AudioCorpus, tmp_path_factory: pytest.TempPathFactory) -> LoadedVQModel:
    """Another rate, other levels and entries."""
    config = VQVAEConfig(
        width=8, latent_dim=4, levels=2, codebook_size=8, batch_size=2, segment_frames=16,
        min_steps_per_epoch=5, preview_every_epochs=0, max_steps=5,
        spectrogram=SpectrogramConfig.for_rate(16_000),
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("other") / "trained"  # the same name
    sources = [file.path for file in corpus.files]
    return train_vqvae(config, sources, folder, "cpu").load()


@pytest.fixture(scope="module")
def sounds(corpus: AudioCorpus) -> dict[str, Any]:
    return {
        "a drum": (corpus.waveforms[0], 48_000),
        "quiet": (corpus.waveforms[1].numpy() * 0.01, 48_000),
        "another rate": (corpus.waveforms[2][:8000], 22_050),
    }


@pytest.fixture(scope="module")
def comparison(model: LoadedVQModel, other: LoadedVQModel, sounds: dict[str, Any]) -> Comparison:
    return compare([model, other], sounds, progress=False)


def test_models_that_share_nothing_are_compared(comparison: Comparison) -> None:
    assert [one.name for one in comparison.models] == ["trained", "trained (2)"]
    assert comparison.sounds == ("a drum", "quiet", "another rate")
    one, two = comparison.models
    assert [level.entries for level in one.health] == [16, 16, 16]
    assert [level.entries for level in two.health] == [8, 8]
    assert one.nominal_bps == 562.5
    assert one.entropy_bps <= one.nominal_bps
    assert one.parameters == sum(weight.numel() for weight in one.model.model.parameters())
    assert one.curves["val"] and one.best_validation == min(one.curves["val"])


def test_distances_are_of_sounds_at_one_loudness(
    comparison: Comparison, model: LoadedVQModel, sounds: dict[str, Any]
) -> None:
    for number, (waveform, rate) in enumerate(sounds.values()):
        loud = torch.as_tensor(waveform) / float(abs(waveform).max())
        made, _ = model.reconstruct(loud, rate)
        expected = mel_distance(loud, made, rate)
        assert comparison.models[0].mel[number] == pytest.approx(expected, rel=1e-3)
    assert comparison.models[1].stft.shape == (3,)


def test_sounds_are_made_when_asked_for_and_once(
    comparison: Comparison, model: LoadedVQModel, sounds: dict[str, Any]
) -> None:
    original, rate = comparison.original(1)
    assert rate == 48_000
    torch.testing.assert_close(original, torch.as_tensor(sounds["quiet"][0]))
    made, made_rate = comparison.reconstruction(0, 2)
    assert made_rate == 22_050 and len(made) == 8000
    assert torch.equal(made, model.reconstruct(comparison.original(2)[0], 22_050)[0])
    assert comparison.reconstruction(0, 2)[0] is made
    with pytest.raises(PartError, match="model=2: expected 0 to 1"):
        comparison.reconstruction(2, 0)
    with pytest.raises(PartError, match="sound=-1: expected 0 to 2"):
        comparison.original(-1)


def test_models_come_from_files_runs_and_checkpoints(
    trained: TrainingResult, corpus: AudioCorpus
) -> None:
    run = RunFolder(trained.model_path.parent)
    checkpoint = max(run.checkpoints.glob("*.ckpt"))
    found = compare(
        [trained.model_path, str(run.path), run, checkpoint],
        [corpus.files[0].path],
        progress=False,
    )
    assert [one.name for one in found.models[:3]] == ["trained", "trained (2)", "trained (3)"]
    assert found.models[3].name == "trained, step 60"
    assert found.models[3].curves["val"] == found.models[0].curves["val"]
    assert np.isfinite(found.models[3].mel).all()
    assert found.sounds == (corpus.files[0].path.name,)


def test_families_are_compared_with_each_other(
    model: LoadedVQModel, corpus: AudioCorpus, sounds: dict[str, Any], tmp_path: Path
) -> None:
    files = [file.path for file in corpus.files]
    result = train(tiny("vae", max_steps=6, checkpoint_every_s=0.0), files, tmp_path / "vae", "cpu")
    checkpoint = sorted((tmp_path / "vae/checkpoints").glob("*.ckpt"))[-1]
    made = compare(
        {"codes": model, "file": result.model_path, "run": tmp_path / "vae", "then": checkpoint},
        sounds, progress=False,
    )  # fmt: skip
    codes, *latents = made.models
    assert codes.nominal_bps and codes.entropy_bps
    for one in latents:
        assert one.nominal_bps is None and one.entropy_bps is None
        assert np.isfinite(one.mel).all() and one.mel.shape == (len(sounds),)
    assert latents[0].health == result.load().health
    assert latents[0].mel == pytest.approx(latents[1].mel)
    [dimensions] = {row[1] for row in made.rows()[1:]}
    assert dimensions == "8 dimensions"
    assert [row[2:4] for row in made.rows()[1:]] == [["", ""]] * 3


def test_names_can_be_given(model: LoadedVQModel, corpus: AudioCorpus) -> None:
    found = compare({"before": model, "after": model}, corpus.files[0].path, progress=False)
    assert [one.name for one in found.models] == ["before", "after"]
    assert len(compare(model, corpus.files[0].path, progress=False).models) == 1


def test_a_corpus_can_be_heard(model: LoadedVQModel, corpus: AudioCorpus) -> None:
    found = compare([model], corpus, progress=False)
    assert found.sounds == tuple(file.path.name for file in corpus.files)
    assert found.original(0)[0] is corpus.waveforms[0]


def test_silence_and_one_sample_are_compared(model: LoadedVQModel) -> None:
    odd = {"silence": (torch.zeros(3000), 48_000), "click": (torch.ones(1), 48_000)}
    found = compare([model], odd, progress=False)
    assert found.models[0].mel[0] == 0
    assert np.isfinite(found.models[0].stft).all()


@pytest.mark.parametrize(
    ("models", "sounds", "error", "message"),
    [
        ([], {"a": (torch.ones(9), 48_000)}, ComparisonError, "no models given: expected at least"),
        ([3], {"a": (torch.ones(9), 48_000)}, ComparisonError, "an? int: expected a loaded model"),
        (None, {}, ComparisonError, "no sounds given: expected at least one to hear"),
        (None, {"a": (torch.ones(2, 9), 48_000)}, ShapeError, r"waveform \(2, 9\): expected mono"),
        (["gone.distill"], {"a": (torch.ones(9), 48_000)}, NotAModelError, "gone.distill: cannot"),
        (["gone.ckpt"], {"a": (torch.ones(9), 48_000)}, CheckpointError, "gone.ckpt: cannot be r"),
        (None, ["gone.wav"], (AudioFileError, ValueError), "gone.wav: no such file"),
    ],
)
def test_what_cannot_be_compared_is_named(
    model: LoadedVQModel, models: Any, sounds: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        compare([model] if models is None else models, sounds, progress=False)


def test_folders_without_a_model_are_named(
    trained: TrainingResult, model: LoadedVQModel, tmp_path: Path
) -> None:
    sound = {"a": (torch.ones(900), 48_000)}
    with pytest.raises(RunFolderError, match=r"no run there; name a run folder or a \.distill"):
        compare([tmp_path], sound, progress=False)
    shutil.copy(trained.model_path.parent / "run.json", tmp_path)
    with pytest.raises(RunFolderError, match="has no model yet; wait for its end, ask it to save"):
        compare([tmp_path], sound, progress=False)


def test_a_checkpoint_in_a_strange_run_is_named(
    trained: TrainingResult, other: LoadedVQModel
) -> None:
    assert other.path is not None
    theirs = other.path.parent / "checkpoints" / "step-000099.ckpt"
    ours = max((trained.model_path.parent / "checkpoints").glob("*.ckpt"))
    shutil.copy(ours, theirs)
    sound = {"a": (torch.ones(900), 48_000)}
    with pytest.raises(CheckpointError, match=r"step-000099\.ckpt: not a checkpoint of the run in"):
        compare([theirs], sound, progress=False)
    theirs.unlink()


def test_it_says_what_it_found(comparison: Comparison) -> None:
    lines = repr(comparison).splitlines()
    assert lines[0] == "Comparison of 2 models on 3 sounds"
    assert lines[2].startswith("trained  ") and "3 levels × 16 entries" in lines[2]
    assert lines[3].startswith("trained (2)") and "2 levels × 8 entries" in lines[3]
    assert "trained (2)" in comparison._repr_html_()


def test_names_are_numbered_until_each_is_there_once() -> None:
    names = ["a", "b", "a", "a (2)", "a"]
    assert numbered(names) == ("a", "b", "a (2)", "a (2) (2)", "a (3)")
    assert len(set(numbered(["x"] * 9))) == 9


def test_names_are_paths_below_the_folder_all_share(tmp_path: Path) -> None:
    paths = [tmp_path / "a" / "kick.wav", tmp_path / "b" / "c" / "kick.wav"]
    assert short_names(paths) == ("a/kick.wav", "b/c/kick.wav")
    assert short_names(paths[:1]) == ("kick.wav",)


def test_what_somebody_found_by_ear_stands_beside_the_numbers(
    trained: TrainingResult, model: LoadedVQModel, corpus: AudioCorpus, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(trained.model_path.parent, run)
    change_mark(run, "kick", "good", epoch=4)
    change_mark(run, "<bell>", "bad")
    newest = RunFolder(run).checkpoints
    models = {"marked": run, "at a step": sorted(newest.glob("*.ckpt"))[-1], "not": model}
    made = compare(models, corpus.files[0].path, progress=False)
    assert made.columns[-1] == "by ear"
    assert [row[-1] for row in made.rows()] == ["1 good, 1 bad", "1 good, 1 bad", ""]
    said = "marked: bad: <bell>; good: kick (epoch 5)"
    assert made.marks[0] == said and len(made.marks) == 2 and said in repr(made)
    assert "bad: &lt;bell&gt;" in made._repr_html_()
    shown = CompareView(made)
    assert any("bad: &lt;bell&gt;" in getattr(part, "value", "") for part in shown.children)
    shown.close()
    assert "by ear" not in compare(model, corpus.files[0].path, progress=False).columns
