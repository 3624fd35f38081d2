"""`import distill` is light, and every public name is where people look for it."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

import distill

PUBLIC = {
    "sounds": "AudioCorpus make_demo_corpus mel_distance read_audio stft_distance write_audio",
    "settings": "SpectrogramConfig TrainingConfig VAEConfig VQVAEConfig get_adaptive_config",
    "training": "RunFolder TrainingResult TrainingRunner resume train train_epoch validate_epoch",
    "events": "CheckpointEvent EpochMetrics Event MetricsCallback MetricsHistory PreviewEvent "
    "ResumeEvent StepMetrics TrainingCompleteEvent TrainingFailedEvent WarningEvent",
    "checkpoints and previews": "generate_reconstruction_preview load_checkpoint save_checkpoint",
    "models": "ConvVAE ConvVQVAE LogMel codebook_health vae_loss vqvae_loss LevelHealth",
    "model files": "SAVED_MODEL_VERSION edit_metadata load_model read_model_info save_model",
    "models in use": "Codes GriffinLimVocoder Latents LoadedModel LoadedVAE LoadedVQModel Vocoder",
    "what was learned": "CodeParts CodebookAtlas ModelLibrary build_atlas compare entry_sound "
    "principal_directions rate_distortion",
    "new sounds": "CodeCorpus PriorConfig PriorError get_adaptive_prior_config remake train_prior",
    "errors": "errors AudioFileError CheckpointError CodesError ConfigError CorpusError "
    "DistillError LatentsError ModelFileError OutputExistsError RunFolderError TrainingError",
    "names that must stay": "QuantizerWrapper SAVED_MODEL_VERSION_V2 VQEpochMetrics "
    "VQMetricsHistory VQStepMetrics generate_vqvae_reconstruction_preview "
    "get_adaptive_vqvae_config load_model_v2 load_vqvae_checkpoint resume_vqvae save_model_v2 "
    "save_vqvae_checkpoint train_vqvae train_vqvae_epoch validate_vqvae_epoch",
}


def test_importing_distill_loads_no_torch() -> None:
    code = "import sys, distill; print('torch' in sys.modules, 'numpy' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.stdout.split() == ["False", "False"], answer.stderr


def test_help_loads_no_torch() -> None:
    code = (
        "import sys\nfrom distill.cli.app import app\n"
        "try: app(['--help'])\nexcept SystemExit: pass\nprint('torch' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.stdout.split()[-1] == "False", answer.stderr


def test_the_public_names_are_these() -> None:
    """A name more is a promise more: it is made here too, on purpose."""
    listed = [name for names in PUBLIC.values() for name in names.split()]
    assert sorted(listed) == sorted(distill.__all__)


@pytest.mark.parametrize("room", ["", ".analysis", ".audio", ".codebook", ".models", ".training"])
def test_every_name_a_room_exports_exists(room: str) -> None:
    module = importlib.import_module(f"distill{room}")
    assert module.__all__
    for name in module.__all__:
        assert getattr(module, name) is not None
