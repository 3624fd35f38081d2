"""Files of the continuous family's first version keep opening: model, latents, run, checkpoint."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import distill
from distill.errors import CorruptModelError, RunFolderError

DATA = Path(__file__).parent / "data"
OLD = DATA / "first_vae"
SOUNDS = DATA / "first_version" / "sounds"
FACTS = json.loads((OLD / "facts.json").read_text())


@pytest.fixture
def run(tmp_path: Path) -> Path:
    shutil.copytree(OLD / "stopped", tmp_path / "stopped")
    return tmp_path / "stopped"


@pytest.fixture
def model() -> distill.LoadedVAE:
    opened = distill.load_model(OLD / "stopped" / "model.distill")
    assert isinstance(opened, distill.LoadedVAE)
    return opened


def test_a_model_opens_and_says_what_it_was(model: distill.LoadedVAE) -> None:
    info = distill.read_model_info(OLD / "stopped" / "model.distill")
    assert info.name == model.name == "stopped"
    assert model.latent_health is not None and model.latent_health.units == 4
    assert len(info.loss_curves["val"]) == 2


def test_it_makes_the_latents_it_made(model: distill.LoadedVAE) -> None:
    corpus = distill.AudioCorpus.scan(SOUNDS, sample_rate=16_000, progress=False)
    made = model.encode(corpus.waveforms[0], corpus.sample_rate)
    assert made.values == pytest.approx(np.array(FACTS["latents"]), abs=1e-3)


def test_latents_open_and_sound(model: distill.LoadedVAE) -> None:
    latents = distill.Latents.load(OLD / "latents.npz")
    assert latents.values.tolist() == FACTS["latents"]
    sound, _ = model.decode(latents)
    assert len(sound) == latents.samples and float(sound.abs().max()) > 0


def test_a_saved_again_model_keeps_its_version(model: distill.LoadedVAE, tmp_path: Path) -> None:
    again = distill.load_model(distill.save_model(tmp_path / "again.distill", model))
    assert again.digest == model.digest
    assert distill.SAVED_MODEL_VERSION == 1


def test_a_flipped_bit_is_noticed(tmp_path: Path) -> None:
    data = bytearray((OLD / "stopped" / "model.distill").read_bytes())
    data[-1] ^= 1
    (tmp_path / "m.distill").write_bytes(data)
    with pytest.raises(
        CorruptModelError, match=r"^m\.distill: truncated or altered \(its checksum"
    ):
        distill.load_model(tmp_path / "m.distill")


def test_a_run_is_listed_and_drawn(run: Path) -> None:
    runner = distill.TrainingRunner.attach(run)
    assert runner.state == "stopped"
    history = runner.history
    assert len(history.steps["loss"]) == 6
    assert history.epochs[-1].health and history.curves()["val"]


def test_a_stopped_run_is_resumed_to_its_end(run: Path) -> None:
    result = distill.resume(run, sounds=SOUNDS)
    assert result.steps == 12
    assert isinstance(result.load(), distill.LoadedVAE)


def test_it_is_not_resumed_as_the_other_family(run: Path) -> None:
    with pytest.raises(RunFolderError, match="a run of type 'vae', which resume_vqvae does not"):
        distill.resume_vqvae(run)


def test_a_run_with_the_settings_of_the_other_family_says_so(run: Path) -> None:
    request = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**request, "model_type": "vqvae"}))
    with pytest.raises(RunFolderError, match=r"its settings are those of 'vae' \(VAE\)"):
        distill.resume(run, sounds=SOUNDS)
