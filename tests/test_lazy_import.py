"""`import distill` is light, and every public name is where people look for it."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

import distill

PUBLIC = [
    "AudioCorpus",
    "CodeParts",
    "CodebookAtlas",
    "ModelLibrary",
    "build_atlas",
    "compare",
    "edit_metadata",
    "entry_sound",
    "rate_distortion",
    "Codes",
    "ConvVQVAE",
    "GriffinLimVocoder",
    "LevelHealth",
    "LoadedModel",
    "LoadedVQModel",
    "LogMel",
    "MetricsCallback",
    "PreviewEvent",
    "CheckpointEvent",
    "QuantizerWrapper",
    "RunFolder",
    "SAVED_MODEL_VERSION",
    "SAVED_MODEL_VERSION_V2",
    "SpectrogramConfig",
    "TrainingCompleteEvent",
    "TrainingConfig",
    "TrainingFailedEvent",
    "TrainingResult",
    "TrainingRunner",
    "EpochMetrics",
    "MetricsHistory",
    "StepMetrics",
    "VQEpochMetrics",
    "VQMetricsHistory",
    "VQStepMetrics",
    "VQVAEConfig",
    "Vocoder",
    "WarningEvent",
    "codebook_health",
    "generate_reconstruction_preview",
    "generate_vqvae_reconstruction_preview",
    "get_adaptive_vqvae_config",
    "level_labels",
    "load_model",
    "load_model_v2",
    "load_checkpoint",
    "load_vqvae_checkpoint",
    "make_demo_corpus",
    "mel_distance",
    "read_audio",
    "read_model_info",
    "save_model",
    "save_model_v2",
    "resume",
    "save_checkpoint",
    "save_vqvae_checkpoint",
    "stft_distance",
    "train",
    "train_epoch",
    "train_vqvae",
    "train_vqvae_epoch",
    "validate_epoch",
    "validate_vqvae_epoch",
    "vqvae_loss",
    "write_audio",
    "CorpusError",
    "ConfigError",
    "DistillError",
    "TrainingError",
    "ModelFileError",
]


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


@pytest.mark.parametrize("name", PUBLIC)
def test_public_name_is_importable_from_distill(name: str) -> None:
    assert getattr(distill, name) is not None
    assert name in distill.__all__


@pytest.mark.parametrize("room", ["analysis", "audio", "codebook", "models", "training"])
def test_every_name_a_room_exports_exists(room: str) -> None:
    module = importlib.import_module(f"distill.{room}")
    assert module.__all__
    for name in module.__all__:
        assert getattr(module, name) is not None
