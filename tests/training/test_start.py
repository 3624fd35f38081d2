"""What a run starts from: the base, a model of one's own, or nothing."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from distill import (
    AudioCorpus,
    RunFolder,
    SpectrogramConfig,
    TrainingRunner,
    VAEConfig,
    VQEpochMetrics,
    VQVAEConfig,
    WarningEvent,
    load_model,
    read_model_info,
    resume,
    save_model,
    train,
)
from distill.config.start import BASE, DEFAULT_START, NOTHING
from distill.errors import ConfigError, ModelFileError, ModelTypeError, RunFolderError
from distill.models.start import base_paths
from distill.models.vae.model import ConvVAE
from distill.models.vqvae.model import ConvVQVAE
from distill.training.run import start as start_module
from distill.training.run.preparation import begin_run
from distill.training.run.request import RunRequest
from distill.training.run.request_fields import config_of
from distill.training.run.start import RunStart
from distill.training.tasks.vqvae import VQVAETask
from distill.training.watch.event_lines import STEPS, Event
from tests.families import tiny


@pytest.fixture
def config() -> VQVAEConfig:
    found = tiny("vqvae", max_steps=8, checkpoint_every_s=0.0, preview_every_epochs=0)
    assert isinstance(found, VQVAEConfig)
    return found


@pytest.fixture
def own(config: VQVAEConfig, mel: Tensor, tmp_path: Path) -> Path:
    """A model in half precision, with other codebooks than those of the runs here."""
    torch.manual_seed(7)
    model = ConvVQVAE(dataclasses.replace(config, levels=2, codebook_size=8)).train()
    model.initialise(mel)
    return save_model(tmp_path / "own.distill", model.half())


@pytest.fixture
def base(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """That model as the base that is installed."""
    path = own.rename(tmp_path / "base.distill")
    monkeypatch.setattr(start_module, "base_paths", lambda: (path,))
    return path


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Tensor]]:
    """Of each run that begins, the weights before its codebooks are made, and after."""
    found: list[dict[str, Tensor]] = []
    prepare = VQVAETask.prepare

    def recorded(task: VQVAETask) -> None:
        for act in (lambda _task: None, prepare):
            act(task)
            found.append({name: w.clone() for name, w in task.module.state_dict().items()})

    monkeypatch.setattr(VQVAETask, "prepare", recorded)
    return found


def without_codebooks(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: w for name, w in weights.items() if not name.startswith("quantizer.")}


def assert_equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert torch.equal(value, other[name]), name


def warnings_of(run: Path) -> list[tuple[str, str]]:
    events, _ = RunFolder(run).read_events()
    return [(event.kind, event.message) for event in events if isinstance(event, WarningEvent)]


def test_before_the_first_step_all_weights_but_the_codebooks_are_those_of_the_base(
    config: VQVAEConfig,
    base: Path,
    corpus: AudioCorpus,
    prepared: list[dict[str, Tensor]],
    tmp_path: Path,
) -> None:
    train(config, corpus, tmp_path / "run", "cpu", start=BASE)
    model = load_model(base)
    before, after = prepared
    for weights in (before, after):
        assert_equal(without_codebooks(weights), without_codebooks(model.model.state_dict()))
    result = load_model(tmp_path / "run" / "model.distill")
    assert result.model.codebook_shape == (3, 16) != model.model.codebook_shape
    assert any(
        not torch.equal(w, before[name])
        for name, w in result.model.state_dict().items()
        if name.startswith("decoder.")
    )


def test_the_codebooks_are_made_from_what_the_base_says_of_the_sounds(
    config: VQVAEConfig, own: Path, corpus: AudioCorpus, prepared: list[Any], tmp_path: Path
) -> None:
    train(config, corpus, tmp_path / "with", "cpu", start=own)
    train(config, corpus, tmp_path / "without", "cpu")
    assert not prepared[0]["quantizer.residual_vq.layers.0._codebook.initted"].any()
    one, other = (prepared[k]["quantizer.residual_vq.layers.0._codebook.embed"] for k in (1, 3))
    assert one.shape == other.shape and not torch.equal(one, other)


def test_run_json_and_the_model_say_what_it_started_from(
    config: VQVAEConfig, own: Path, corpus: AudioCorpus, tmp_path: Path
) -> None:
    train(config, corpus, tmp_path / "run", "cpu", start=own)
    digest = load_model(own).digest
    said = RunFolder(tmp_path / "run").read_request()["start"]
    assert (said["model"], said["digest"], said["remark"]) == (str(own), digest, "")
    info = read_model_info(tmp_path / "run" / "model.distill")
    assert info.metadata["start"] == {"model": "own.distill", "digest": digest}
    train(config, corpus, tmp_path / "plain", "cpu", start=NOTHING)
    assert RunFolder(tmp_path / "plain").read_request()["start"]["model"] == NOTHING
    assert "start" not in read_model_info(tmp_path / "plain" / "model.distill").metadata


def stopped_at(step: int, config: VQVAEConfig, corpus: AudioCorpus, run: Path, start: Any) -> None:
    cancel = threading.Event()

    def callback(event: Event) -> None:
        if isinstance(event, STEPS) and event.step == step:
            cancel.set()

    train(config, corpus, run, "cpu", callback, cancel, start=start)


@pytest.mark.parametrize("is_base", [True, False])
def test_a_run_is_resumed_exactly_when_the_model_it_started_from_is_gone(
    is_base: bool,
    config: VQVAEConfig,
    own: Path,
    corpus: AudioCorpus,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    path = request.getfixturevalue("base") if is_base else own
    start = BASE if is_base else path
    whole = train(config, corpus, tmp_path / "whole", "cpu", start=start)
    stopped_at(3, config, corpus, tmp_path / "run", start)
    path.unlink()
    resumed = resume(tmp_path / "run")
    assert resumed.steps == 8
    assert_equal(*(result.load().model.state_dict() for result in (whole, resumed)))
    assert resumed.load().digest == whole.load().digest


def begun(config: VQVAEConfig, corpus: AudioCorpus, run: Path, start: Any) -> None:
    """A run whose trainer died before its first checkpoint."""
    chosen = RunStart.chosen(start, config)
    request = RunRequest.of(config, corpus, name="r", device="cpu", start=chosen)
    begin_run(run, request.to_dict())


def test_a_run_without_a_checkpoint_needs_the_very_model(
    config: VQVAEConfig, own: Path, corpus: AudioCorpus, mel: Tensor, tmp_path: Path
) -> None:
    kept = own.read_bytes()
    begun(config, corpus, tmp_path / "run", own)
    own.unlink()
    with pytest.raises(ModelFileError, match=r"own\.distill: cannot be read"):
        resume(tmp_path / "run")
    other = ConvVQVAE(config).train()
    other.initialise(mel)
    save_model(own, other)
    with pytest.raises(RunFolderError, match="not the model that it was when the run began"):
        resume(tmp_path / "run")
    own.write_bytes(kept)
    whole = train(config, corpus, tmp_path / "whole", "cpu", start=own)
    assert resume(tmp_path / "run").load().digest == whole.load().digest


def test_a_file_that_somebody_else_has_named_is_not_read(
    config: VQVAEConfig,
    own: Path,
    corpus: AudioCorpus,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun(config, corpus, tmp_path / "run", own)
    said = RunFolder(tmp_path / "run").read_request()
    values = {**said["start"], "model": str(tmp_path / "secret.distill")}
    (tmp_path / "run" / "run.json").write_text(json.dumps({**said, "start": values}))
    with pytest.raises(RunFolderError, match=r"another machine .*secret\.distill.* was not read"):
        resume(tmp_path / "run")
    request = RunRequest.from_dict(said)
    request.start.apply(ConvVQVAE(config))
    monkeypatch.setenv("DISTILL_STATE", str(tmp_path / "other"))
    with pytest.raises(RunFolderError, match=r"own\.distill, which was not read. Begin a new run"):
        request.sealed().start.apply(ConvVQVAE(config))


OTHERS: dict[str, dict[str, Any]] = {
    "sample_rate 48000, here 16000; n_fft": {"spectrogram": SpectrogramConfig.for_rate(16_000)},
    "n_mels 128, here 64": {"spectrogram": SpectrogramConfig(n_mels=64)},
    "width 16, here 24; latent_dim 8, here 4": {"width": 24, "latent_dim": 4},
}


@pytest.mark.parametrize("said", OTHERS)
def test_settings_that_do_not_fit_the_base_start_from_nothing_and_say_so(
    said: str, config: VQVAEConfig, base: Path, corpus: AudioCorpus, tmp_path: Path
) -> None:
    config = dataclasses.replace(config, max_steps=2, **OTHERS[said])
    events: list[Event] = []
    result = train(config, corpus, tmp_path / "run", "cpu", events.append, start=BASE)
    [(kind, message)] = warnings_of(tmp_path / "run")
    assert kind == "start"
    assert message.startswith(f"starts from nothing: the base has other settings ({said}")
    assert RunFolder(tmp_path / "run").read_request()["start"]["model"] == NOTHING
    plain = train(config, corpus, tmp_path / "plain", "cpu", start=NOTHING)
    assert result.load().digest == plain.load().digest
    assert warnings_of(tmp_path / "plain") == []


@pytest.mark.parametrize("said", OTHERS)
def test_settings_that_do_not_fit_a_model_of_ones_own_are_refused(
    said: str, config: VQVAEConfig, own: Path, corpus: AudioCorpus, tmp_path: Path
) -> None:
    config = dataclasses.replace(config, **OTHERS[said])
    with pytest.raises(ConfigError) as error:
        train(config, corpus, tmp_path / "run", "cpu", start=own)
    assert f"own.distill: has other settings ({said}" in str(error.value)
    assert not (tmp_path / "run").exists()


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def altered(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)


def huge_header(path: Path) -> None:
    path.write_bytes((2**62).to_bytes(8, "little") + b'{"' + b"x" * 100)


def odd_header(path: Path) -> None:
    text = b'{"__metadata__":{"format":"distill_model","model_type":"vqvae"},"a":{"dtype":"F32"}}'
    path.write_bytes(len(text).to_bytes(8, "little") + text)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("harm", [Path.unlink, truncated, altered, huge_header, odd_header, folder])
@pytest.mark.parametrize("is_base", [True, False])
def test_a_model_that_cannot_be_read_is_an_error_before_anything_begins(
    harm: Callable[[Path], None],
    is_base: bool,
    config: VQVAEConfig,
    own: Path,
    corpus: AudioCorpus,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = request.getfixturevalue("base") if is_base else own
    harm(path)
    start: Any = BASE if is_base else str(path)
    for begin in (train, TrainingRunner().start):
        with pytest.raises(ModelFileError) as error:
            begin(config, corpus, tmp_path / "run", "cpu", start=start)
        assert str(error.value).startswith(f"start={start!r}: ")
        assert "expected 'base', 'none' or the path of a trained model" in str(error.value)
        assert not (tmp_path / "run").exists()
    if is_base:  # by default that is no reason not to train
        monkeypatch.setattr(start_module, "DEFAULT_START", BASE)
        chosen = RunStart.chosen(None, config)
        assert chosen.model == NOTHING
        assert chosen.remark.startswith("starts from nothing: ") and "base.distill" in chosen.remark


def test_a_word_that_means_nothing_is_no_start(config: VQVAEConfig) -> None:
    with pytest.raises(ModelFileError, match=r"^start='bass': .*bass: cannot be read .*'base'"):
        RunStart.chosen("bass", config)


def test_a_model_of_another_family_is_refused(
    config: VQVAEConfig, tmp_path: Path, corpus: AudioCorpus
) -> None:
    vae = tiny("vae")
    assert isinstance(vae, VAEConfig)
    path = save_model(tmp_path / "breath.distill", ConvVAE(vae))
    with pytest.raises(ModelTypeError, match="holds a VAE model; expected RVQ-VAE"):
        train(config, corpus, tmp_path / "run", "cpu", start=path)


def test_a_family_that_has_no_start_says_so_where_one_is_asked_for(
    corpus: AudioCorpus, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tiny("vae", max_steps=2, preview_every_epochs=0)
    with pytest.raises(ModelTypeError, match=r"^start='base': a VAE model can start from nothing"):
        train(config, corpus, tmp_path / "run", "cpu", start=BASE)
    monkeypatch.setattr(start_module, "DEFAULT_START", BASE)
    train(config, corpus, tmp_path / "run", "cpu")
    assert warnings_of(tmp_path / "run") == []


def test_by_default_it_starts_from_the_base_where_that_is_the_default(
    config: VQVAEConfig, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start_module, "DEFAULT_START", BASE)
    assert RunStart.chosen(None, config) == RunStart(BASE, load_model(base).digest)
    monkeypatch.setattr(start_module, "DEFAULT_START", NOTHING)
    assert RunStart.chosen(None, config) == RunStart()


def test_a_start_draws_no_random_numbers(config: VQVAEConfig, own: Path) -> None:
    model = ConvVQVAE(config)
    torch.manual_seed(3)
    state = torch.get_rng_state()
    RunStart.chosen(own, config).apply(model)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(("number", "preset"), [(0, "draft"), (0, "balanced"), (1, "fine")])
def test_the_bases_that_are_installed_fit_the_presets_and_say_where_they_come_from(
    number: int, preset: str
) -> None:
    """They are read as part of the package, as from a wheel."""
    assert DEFAULT_START == BASE
    path = base_paths()[number]
    digest = load_model(path).digest
    config = VQVAEConfig(**VQVAEConfig.preset(preset))
    chosen = RunStart.chosen(BASE, config)
    assert chosen == RunStart(BASE, digest)
    chosen.apply(ConvVQVAE(config))
    info = read_model_info(path)
    assert info.metadata["digest"] == info.digest == digest
    assert info.metadata["licence"] == "MIT" and info.metadata["provenance"]["material"]
    assert sum(each.stat().st_size for each in base_paths()) <= 8_000_000


def rates(run: Path) -> list[float]:
    return [e.learning_rate for e in RunFolder(run).read_events()[0] if isinstance(e, STEPS)]


def epochs_of(run: Path) -> list[VQEpochMetrics]:
    return [e for e in RunFolder(run).read_events()[0] if isinstance(e, VQEpochMetrics)]


def forget(run: Path, *settings: str) -> None:
    """Makes of a run one of a version that did not know some settings."""
    file = run / "run.json"
    asked = json.loads(file.read_text())
    for name in settings:
        del asked["config"][name]
    file.write_text(json.dumps(asked))


def test_a_run_that_starts_from_a_model_learns_at_a_share_of_the_rate(
    config: VQVAEConfig, own: Path, corpus: AudioCorpus, tmp_path: Path
) -> None:
    """Also once it is resumed; and one of an earlier version, which knew no share, at the whole."""
    train(config, corpus, tmp_path / "from nothing", "cpu", start=NOTHING)
    stopped_at(3, config, corpus, tmp_path / "from own", own)
    resume(tmp_path / "from own")
    whole = rates(tmp_path / "from nothing")
    share = [config.fine_tuning_share * rate for rate in whole]
    assert rates(tmp_path / "from own") == pytest.approx(share)
    stopped_at(3, config, corpus, tmp_path / "earlier", own)
    forget(tmp_path / "earlier", "fine_tuning_share")
    resume(tmp_path / "earlier")
    assert rates(tmp_path / "earlier")[4:] == pytest.approx(whole[4:])


def changed_parts(run: Path, prepared: list[dict[str, Tensor]]) -> set[str]:
    """Of the model, in the weights that a run has kept: those that learned."""
    before, after = prepared[-1], load_model(RunFolder(run).model_path).model.state_dict()
    names = [name for name in before if not torch.equal(before[name], after[name])]
    return {name.split(".")[0] for name in names}


@pytest.mark.parametrize("tunes_codes", [False, True])
def test_what_codes_mean_is_settled_before_the_first_step_unless_it_is_to_be_learned(
    tunes_codes: bool,
    config: VQVAEConfig,
    base: Path,
    corpus: AudioCorpus,
    prepared: list[dict[str, Tensor]],
    tmp_path: Path,
) -> None:
    """Also once it is resumed; not in a run of an earlier version, or from a model of one's own."""
    eager = dataclasses.replace(config, tunes_codes=tunes_codes)
    everything = {"encoder", "quantizer", "decoder"}
    train(eager, corpus, tmp_path / "own", "cpu", start=base)
    assert changed_parts(tmp_path / "own", prepared) == everything
    stopped_at(3, eager, corpus, tmp_path / "from base", BASE)
    resume(tmp_path / "from base")
    learned = everything if tunes_codes else {"decoder"}
    assert changed_parts(tmp_path / "from base", prepared) == learned
    stopped_at(3, eager, corpus, tmp_path / "earlier", BASE)
    forget(tmp_path / "earlier", "tunes_codes")
    resume(tmp_path / "earlier")
    assert changed_parts(tmp_path / "earlier", prepared) == everything


def test_what_does_not_learn_is_settled_before_the_module_is_wrapped(
    config: VQVAEConfig,
    base: Path,
    corpus: AudioCorpus,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Or several processes would wait for gradients of the encoder that never come."""
    learns: list[bool] = []
    wrap = VQVAETask.wrap

    def looked_at(task: VQVAETask, *given: Any) -> Any:
        learns.extend(weights.requires_grad for weights in task.module.encoder.parameters())
        return wrap(task, *given)

    monkeypatch.setattr(VQVAETask, "wrap", looked_at)
    train(config, corpus, tmp_path / "from base", "cpu", start=BASE)
    assert learns and not any(learns)
    learns.clear()
    train(config, corpus, tmp_path / "from own", "cpu", start=base)
    assert learns and all(learns)


def test_the_loss_of_a_run_whose_codes_stay_is_what_it_can_lower(
    config: VQVAEConfig, base: Path, corpus: AudioCorpus, tmp_path: Path
) -> None:
    for name, start in (("from base", BASE), ("from own", base)):
        train(config, corpus, tmp_path / name, "cpu", start=start)
        epochs = epochs_of(tmp_path / name)
        assert epochs and all(epoch.val_commitment > 0 for epoch in epochs)
        for epoch in epochs:
            is_alone = epoch.val_loss == pytest.approx(epoch.val_reconstruction)
            assert is_alone == (start == BASE)


def replaced_entries(run: Path) -> float:
    return sum(level.churn for epoch in epochs_of(run) for level in epoch.health)


def test_codebooks_of_a_run_that_starts_from_the_base_keep_their_entries(
    config: VQVAEConfig, base: Path, corpus: AudioCorpus, tmp_path: Path
) -> None:
    """Also once it is resumed; those of one of an earlier version, or from a model of one's own,
    are replaced as they were.
    """
    eager = dataclasses.replace(
        config, tunes_codes=True, dead_code_fraction=1.0, codebook_decay=0.5
    )
    for name, start in (("from nothing", NOTHING), ("from own", base)):
        train(eager, corpus, tmp_path / name, "cpu", start=start)
        assert replaced_entries(tmp_path / name)
    stopped_at(3, eager, corpus, tmp_path / "from base", BASE)
    resume(tmp_path / "from base")
    assert not replaced_entries(tmp_path / "from base")
    stopped_at(3, eager, corpus, tmp_path / "earlier", BASE)
    forget(tmp_path / "earlier", "codebook_tuning_share")
    resume(tmp_path / "earlier")
    assert replaced_entries(tmp_path / "earlier")


def test_a_run_of_a_version_in_which_codebooks_followed_slowly_is_resumed_so(
    config: VQVAEConfig, base: Path, corpus: AudioCorpus, tmp_path: Path
) -> None:
    stopped_at(3, config, corpus, tmp_path / "run", BASE)
    forget(tmp_path / "run", "tunes_codes")
    resumed = config_of(RunFolder(tmp_path / "run").read_request())
    assert isinstance(resumed, VQVAEConfig) and resumed.tunes_codes
    assert resumed.codebook_tuning_share == config.codebook_tuning_share < 1
