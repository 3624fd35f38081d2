"""Training a prior: the same engine, run folder and resuming as for every other family."""

from __future__ import annotations

import dataclasses
import math
import re
import threading
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings, strategies as st

from distill import (
    AudioCorpus,
    CodeCorpus,
    Event,
    LoadedVQModel,
    StepMetrics,
    TrainingRunner,
    load_model,
    load_model_v2,
    resume,
    train,
    train_prior,
    write_audio,
)
from distill.errors import (
    ConfigError,
    ModelTypeError,
    RunFolderError,
    UninitialisedError,
)
from distill.models.prior.coding import encoded_copies
from distill.models.prior.model import NOTHING
from distill.models.vqvae.model import ConvVQVAE
from distill.training import TrainingResult
from distill.training.run.layout import CODEC
from distill.training.tasks.code_windows import CodeWindows, whole_codes
from tests.families import tiny
from tests.priors import tiny_prior


@pytest.fixture(scope="module")
def model(trained: TrainingResult) -> LoadedVQModel:
    return load_model_v2(trained.model_path)


@pytest.fixture(scope="module")
def learned(
    model: LoadedVQModel, corpus: AudioCorpus, tmp_path_factory: pytest.TempPathFactory
) -> TrainingResult:
    run = tmp_path_factory.mktemp("prior") / "run"
    config = tiny_prior(model, max_steps=12, preview_every_epochs=1, preview_count=1)
    return train_prior(model, corpus, run, dataclasses.replace(config, preview_seconds=0.3), "cpu")


def weights(path: Path) -> dict[str, torch.Tensor]:
    return dict(load_model_v2(path).prior.module.state_dict())


def test_what_a_run_leaves_is_the_model_with_its_prior(
    learned: TrainingResult, model: LoadedVQModel, corpus: AudioCorpus
) -> None:
    made = learned.load()
    assert isinstance(made, LoadedVQModel)
    assert (made.digest, made.name) == (model.digest, model.name)
    assert made.health == model.health and made.loss_curves == model.loss_curves
    prior = made.prior
    held_out = corpus.split(0.1).validation_files
    assert {sound.name for sound in prior.sounds} == {
        file.path.name for n, file in enumerate(corpus.files) if n not in held_out
    }
    assert [len(sound.grids) for sound in prior.sounds] == [2] * len(prior.sounds)
    assert len(prior.loss_curves["codes"]) == learned.epochs
    assert all(math.isfinite(row.bits) and math.isfinite(row.pairs) for row in prior.health)
    best = learned.history.best
    assert best is not None and best.val_parts["codes"] == pytest.approx(prior.bits_per_step)


def test_its_events_say_what_a_step_costs(learned: TrainingResult) -> None:
    history = learned.history
    assert history.step_count == 12 and history.loss_parts == ("codes", "ends")
    assert [row.label for row in history.last_health.health] == ["Structure", "Timbre", "Detail"]
    for epoch in history.epochs:
        assert epoch.val_loss == pytest.approx(sum(epoch.val_parts.values()))
        assert sum(row.bits for row in epoch.health) == pytest.approx(
            epoch.val_parts["codes"], rel=1e-4
        )
    assert history.epochs[-1].train_loss < history.epochs[0].train_loss
    pair = history.previews[0].pairs[0]
    assert (learned.model_path.parent / pair.reconstruction).is_file()


def test_a_run_that_was_stopped_ends_as_if_it_never_had(
    model: LoadedVQModel, corpus: AudioCorpus, tmp_path: Path
) -> None:
    run, stop = tmp_path / "run", threading.Event()

    def callback(event: Event) -> None:
        if isinstance(event, StepMetrics) and event.step == 6:
            stop.set()

    config = tiny_prior(model, max_steps=12)
    stopped = train_prior(model, corpus, run, config, "cpu", callback, stop)
    assert stopped.steps == 7
    resumed = resume(run)
    whole = train_prior(model, corpus, tmp_path / "whole", config, "cpu")
    assert resumed.steps == whole.steps == 12
    one, two = (result.history.steps["loss"].tolist() for result in (resumed, whole))
    assert one == two
    ours, theirs = weights(run / "model.distill"), weights(whole.model_path)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_a_runner_trains_it_from_codes_that_were_encoded_before(
    model: LoadedVQModel, corpus: AudioCorpus, tmp_path: Path
) -> None:
    codes = CodeCorpus.encode(model, corpus, copies=1, progress=False)
    assert f"{len(corpus)} recordings" in repr(codes) and codes.digest == model.digest
    runner = TrainingRunner(backend="thread")
    runner.start_prior(model, codes, tmp_path / "run", tiny_prior(model, max_steps=2), "cpu")
    result = runner.wait(progress=False)
    runner.close()
    assert result is not None and result.steps == 2 and result.load().has_prior


def test_codes_are_encoded_once(
    model: LoadedVQModel, corpus: AudioCorpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = corpus.waveforms[0]
    grids = encoded_copies(model, sound, 2, tmp_path)
    assert [len(grid) for grid in grids] == [
        pytest.approx(len(grids[0]) * share, abs=1) for share in (1.0, 27 / 25, 23 / 25)
    ]
    own = model.encode(sound, model.sample_rate).indices.T
    assert torch.equal(grids[0].long(), own)  # its peak is 1

    def refuse(*_: object) -> None:
        raise AssertionError("encoded again")

    monkeypatch.setattr("distill.models.prior.coding._encoded", refuse)
    again = encoded_copies(model, sound, 1, tmp_path)
    assert all(map(torch.equal, again, grids)) and len(again) == 2
    [file] = tmp_path.iterdir()
    file.write_bytes(b"something else")
    with pytest.raises(AssertionError, match="encoded again"):
        encoded_copies(model, sound, 1, tmp_path)


def test_one_file_of_60_ms_is_learned_from_and_its_limits_are_said(
    model: LoadedVQModel, tmp_path: Path
) -> None:
    wave = 0.5 * torch.sin(torch.arange(2880) / 9)
    write_audio(tmp_path / "click.wav", wave, 48_000)
    result = train_prior(
        model, tmp_path / "click.wav", tmp_path / "run", tiny_prior(model, max_steps=10), "cpu"
    )
    [said] = [warning.message for warning in result.history.warnings]
    assert said.startswith("only 3 codes to judge by: too little was held out to know when")
    assert result.load().generate(0.5, seed=1).samples == 24_000


def test_another_codec_in_its_folder_is_noticed(
    learned: TrainingResult, corpus: AudioCorpus, model: LoadedVQModel, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    train_prior(model, corpus, run, tiny_prior(model, max_steps=1), "cpu")
    other = train(tiny("vqvae", max_steps=1, seed=9), corpus, tmp_path / "other", "cpu")
    (run / CODEC).write_bytes(other.model_path.read_bytes())
    with pytest.raises(RunFolderError, match="is not the model that it was when the run began"):
        resume(run, max_steps=2)
    (run / CODEC).unlink()
    with pytest.raises(RunFolderError, match="the model whose codes it learns cannot be read"):
        resume(run, max_steps=2)


def test_what_cannot_have_a_prior_is_refused(
    trained_vae: TrainingResult, model: LoadedVQModel, corpus: AudioCorpus, tmp_path: Path
) -> None:
    with pytest.raises(ModelTypeError, match="holds a VAE model"):
        train_prior(trained_vae.model_path, corpus, tmp_path / "a")
    with pytest.raises(ModelTypeError, match=r"^a prior looks at the codebooks of a model, and "):
        train_prior(load_model(trained_vae.model_path), corpus, tmp_path / "a")  # type: ignore[arg-type]
    empty = LoadedVQModel(ConvVQVAE(model.config))
    with pytest.raises(UninitialisedError, match=r"are empty: train it first"):
        train_prior(empty, corpus, tmp_path / "a")
    with pytest.raises(ConfigError, match=r"^levels=2: the model has 3"):
        config = dataclasses.replace(tiny_prior(model), levels=2)
        train_prior(model, corpus, tmp_path / "a", config)
    with pytest.raises(ConfigError, match=re.escape("distill train-prior MODEL FOLDER")):
        train(tiny_prior(model), corpus, tmp_path / "a")
    assert not (tmp_path / "a").exists()


@settings(deadline=None, max_examples=40)
@given(
    lengths=st.lists(st.integers(1, 30), min_size=1, max_size=4),
    piece=st.integers(1, 12),
    batch=st.integers(1, 60),
)
def test_every_step_is_judged_once_and_every_end(
    lengths: list[int], piece: int, batch: int
) -> None:
    grids, first = [], 0
    for length in lengths:
        grids.append(torch.arange(first, first + length)[:, None])
        first += length
    seen: list[int] = []
    ends = 0
    for codes, steps in whole_codes(grids, piece_steps=piece, batch_steps=batch):
        now, before = codes[:, 1:, 0], codes[:, :-1, 0]
        assert int((now >= 0).sum()) == steps
        seen += now[now >= 0].tolist()
        ends += int(((now == NOTHING) & (before >= 0)).sum())
        assert bool((now - before == 1)[(now >= 0) & (before >= 0)].all())
    assert sorted(seen) == list(range(first)) and ends == len(lengths)


def test_windows_show_beginnings_middles_and_ends() -> None:
    windows = CodeWindows([torch.arange(20)[:, None]], steps=8, batch_size=400)
    batch = windows.batch()[..., 0]
    assert batch.shape == (400, 9)
    begins, ends = batch[:, 0] == NOTHING, batch[:, -1] == NOTHING
    assert 10 < int(begins.sum()) < 60 and 10 < int(ends.sum()) < 60
    assert set(batch[begins][:, 1].tolist()) == {0}
    assert set(batch[ends][:, -2].tolist()) == {19}
    short = CodeWindows([torch.arange(3)[:, None]], steps=8, batch_size=2).batch()[0, :, 0]
    assert short.tolist() == [NOTHING, 0, 1, 2, *[NOTHING] * 5]
