"""A run folder of a prior that was changed: its codec and its settings must fit each other."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from distill import AudioCorpus, LoadedVQModel, load_model, load_model_v2, resume, train_prior
from distill.errors import ConfigError, RunFolderError, UninitialisedError
from distill.models.vqvae.model import ConvVQVAE
from distill.training import TrainingResult
from distill.training.run.layout import CODEC
from tests.priors import tiny_prior


@pytest.fixture(scope="module")
def begun(
    trained: TrainingResult, corpus: AudioCorpus, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    run = tmp_path_factory.mktemp("prior") / "run"
    model = load_model_v2(trained.model_path)
    train_prior(model, corpus, run, tiny_prior(model, max_steps=1, copies=0), "cpu")
    return run


def changed(run: Path, **values: Any) -> None:
    said = json.loads((run / "run.json").read_text())
    rate = values.pop("sample_rate", None)
    if rate:
        said["config"]["spectrogram"]["sample_rate"] = rate
    codec = values.pop("codec", None)
    if codec:
        said["codec"] = codec
    said["config"].update(values)
    (run / "run.json").write_text(json.dumps(said))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"levels": 2}, r"levels=2: the model has 3"),
        ({"levels": 4}, r"levels=4: the model has 3"),
        ({"codebook_size": 8, "code_dim": 4}, r"codebook_size=8: the model has 16"),
        ({"sample_rate": 44_100}, r"spectrogram=.*: the model has "),
    ],
)
def test_settings_for_another_codec_are_refused(
    begun: Path, tmp_path: Path, values: dict[str, Any], message: str
) -> None:
    run = Path(shutil.copytree(begun, tmp_path / "run"))
    changed(run, **values)
    expected = rf"run: the settings in run\.json are not for the model in its {CODEC} \({message}"
    with pytest.raises(RunFolderError, match=expected):
        resume(run, max_steps=2)


def test_a_codec_of_another_family_is_refused(
    begun: Path, trained_vae: TrainingResult, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(begun, tmp_path / "run"))
    shutil.copy(trained_vae.model_path, run / CODEC)
    changed(run, codec=load_model(trained_vae.model_path).digest)
    with pytest.raises(RunFolderError, match=rf"its {CODEC} holds a VAE model; expected a RVQ-VAE"):
        resume(run, max_steps=2)


def test_a_codec_with_empty_codebooks_is_refused(begun: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(begun, tmp_path / "run"))
    empty = LoadedVQModel(ConvVQVAE(load_model_v2(run / CODEC).config))
    empty.save(run / CODEC, overwrite=True)
    changed(run, codec=load_model(run / CODEC).digest)
    with pytest.raises(UninitialisedError):
        resume(run, max_steps=2)


@pytest.mark.parametrize(
    ("limit", "message"),
    [("_MOST_PARTS", "to name them takes"), ("MOST_OTHER_BYTES", "numbers and .* codes takes")],
)
def test_what_no_file_can_hold_is_said_before_anything_is_learned(
    begun: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, message: str
) -> None:
    run = Path(shutil.copytree(begun, tmp_path / "run"))
    events = (run / "events.jsonl").read_bytes()
    monkeypatch.setattr(f"distill.models.prior.room.{limit}", 3)
    with pytest.raises(ConfigError, match=rf"^a prior of .*{message}"):
        resume(run, max_steps=2)
    assert b"StepMetrics" not in (run / "events.jsonl").read_bytes().removeprefix(events)


def test_more_recordings_than_a_file_can_name_leave_no_folder(
    trained: TrainingResult, corpus: AudioCorpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load_model_v2(trained.model_path)
    monkeypatch.setattr("distill.models.prior.room._MOST_PARTS", 3)
    with pytest.raises(ConfigError, match=r"^a prior of .* recordings: to name them takes"):
        train_prior(model, corpus, tmp_path / "run", tiny_prior(model, max_steps=1), "cpu")
    assert not (tmp_path / "run").exists()
