"""What holds for every family that distill brings, from settings to a file and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from distill import (
    AudioCorpus,
    EpochMetrics,
    LoadedVAE,
    StepMetrics,
    TrainingConfig,
    TrainingResult,
    VQEpochMetrics,
    VQStepMetrics,
    generate_reconstruction_preview,
    load_checkpoint,
    load_model,
    read_audio,
    read_model_info,
    resume,
    save_checkpoint,
    save_model,
    train,
)
from distill.audio.spectrogram import LogMel
from distill.audio.vocoder import GriffinLimVocoder
from distill.errors import CheckpointError, ModelFileError
from distill.family import family
from distill.training.tasks.preview import PreviewSound, with_floor
from tests.families import FAMILIES, tiny


@pytest.fixture(scope="module", params=FAMILIES)
def trained(
    request: pytest.FixtureRequest, corpus: AudioCorpus, tmp_path_factory: pytest.TempPathFactory
) -> TrainingResult:
    """A run of each family, that took a checkpoint at its end."""
    path = tmp_path_factory.mktemp("any") / request.param
    return train(tiny(request.param, max_steps=6), corpus, path, "cpu")


def test_a_file_gives_back_what_was_saved(trained: TrainingResult, tmp_path: Path) -> None:
    model = load_model(trained.model_path)
    again = load_model(save_model(tmp_path / "again.distill", model))
    assert type(again) is type(model) and again.digest == model.digest
    assert (again.config, again.health) == (model.config, model.health)
    assert again.loss_curves == model.loss_curves
    waveform = torch.sin(torch.arange(9600) / 9)
    one, two = (loaded.reconstruct(waveform, 48_000)[0] for loaded in (model, again))
    assert torch.equal(one, two)


def test_a_checkpoint_gives_back_what_was_saved(trained: TrainingResult, tmp_path: Path) -> None:
    config = load_model(trained.model_path).config
    [newest, *_] = sorted((trained.model_path.parent / "checkpoints").glob("*.ckpt"))[::-1]
    state = load_checkpoint(newest, config)
    path = save_checkpoint(tmp_path, state, step=state["step"], val_loss=0.5, keep=1)
    again = load_checkpoint(path if isinstance(path, Path) else tmp_path / path, config)
    assert again.keys() == state.keys()
    for name, value in state["model"].items():
        assert torch.equal(value, again["model"][name]), name


def test_a_checkpoint_of_another_family_is_refused(trained: TrainingResult) -> None:
    own = read_model_info(trained.model_path).family
    [other] = [name for name in FAMILIES if name != own]
    checkpoint = max((trained.model_path.parent / "checkpoints").glob("*.ckpt"))
    with pytest.raises(CheckpointError):
        load_checkpoint(checkpoint, tiny(other))


def test_previews_are_an_original_and_what_the_model_makes_of_it(
    trained: TrainingResult, tmp_path: Path
) -> None:
    model = load_model(trained.model_path)
    log_mel = LogMel(model.config.spectrogram)
    sound = PreviewSound("a tone", 0.5 * torch.sin(torch.arange(9600) / 9))
    [pair] = generate_reconstruction_preview(
        model.model, [sound], tmp_path / "previews" / "one",
        log_mel=log_mel, vocoder=GriffinLimVocoder(log_mel),
    )  # fmt: skip
    for name in (pair.original, pair.reconstruction):
        waveform, rate = read_audio(tmp_path / name)
        assert (len(waveform), rate) == (9600, model.sample_rate)
    assert pair.mel > 0 and pair.stft > 0 and pair.mel_floor is None  # none was asked for


def test_a_preview_of_a_model_gone_astray_is_measured_by_nothing(
    trained: TrainingResult, tmp_path: Path
) -> None:
    model = load_model(trained.model_path)
    log_mel = LogMel(model.config.spectrogram)
    nothing = lambda _mel, samples: torch.full((samples,), float("nan"))  # noqa: E731
    sound_of = {"log_mel": log_mel, "vocoder": nothing}
    sound = with_floor(PreviewSound("a tone", torch.ones(4800)), **sound_of)
    [pair] = generate_reconstruction_preview(model.model, [sound], tmp_path / "p" / "o", **sound_of)
    assert (pair.mel, pair.stft, pair.mel_floor, pair.stft_floor) == (None, None, None, None)


def test_a_callback_for_one_family_is_safe_with_the_others(
    corpus: AudioCorpus, tmp_path: Path
) -> None:
    """Each event says of itself what it has; what all have is called alike."""
    seen: list[tuple[str, float, frozenset[str]]] = []
    commitments: list[float] = []

    def callback(event: Any) -> None:
        if isinstance(event, (VQStepMetrics, StepMetrics)):
            seen.append((type(event).__name__, event.loss, frozenset(event.parts)))
        if isinstance(event, (VQEpochMetrics, EpochMetrics)):
            assert event.val_loss > 0 and event.val_parts.keys() == event.train_parts.keys()
        if isinstance(event, VQStepMetrics):
            commitments.append(event.commitment)

    for name in FAMILIES:
        result = train(tiny(name, max_steps=5), corpus, tmp_path / name, "cpu", callback)
        assert not result.history.warnings  # a callback that raises is warned of
    kinds = {kind for kind, _, _ in seen}
    assert kinds == {"VQStepMetrics", "StepMetrics"} and len(commitments) == 5
    assert {parts for _, _, parts in seen} == {frozenset(family(n).loss_parts) for n in FAMILIES}


def test_a_plain_config_trains_a_continuous_vae(corpus: AudioCorpus, tmp_path: Path) -> None:
    config = TrainingConfig(max_steps=1, batch_size=1, preview_every_epochs=0)
    result = train(config, corpus, tmp_path / "plain", "cpu")
    model = result.load()
    assert isinstance(model, LoadedVAE) and model.config.batch_size == 1
    assert resume(tmp_path / "plain", max_steps=2).steps == 2


def test_the_other_loader_is_named(trained: TrainingResult) -> None:
    from distill import load_model_v2

    if read_model_info(trained.model_path).family == "vqvae":
        assert load_model_v2(trained.model_path).digest == load_model(trained.model_path).digest
    else:
        with pytest.raises(ModelFileError, match=r"load_model\(path\) opens it"):
            load_model_v2(trained.model_path)
