"""What a prior learns on from: the base of its kind, where its model started from one; or not."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import torch

from distill import AudioCorpus, LoadedVQModel, PriorConfig, load_model_v2, resume, train_prior
from distill.cli.prior_run import _is_same
from distill.config.start import BASE, NOTHING
from distill.errors import ConfigError, CorruptModelError
from distill.models.prior import start as start_module
from distill.models.prior.model import CodePrior
from distill.models.prior.start import StartingPrior, write_starting_prior
from distill.training import TrainingResult
from distill.training.prior import prior_config_for
from distill.training.run import start as run_start
from distill.training.run.folder import RunFolder
from distill.training.run.request import RunRequest
from distill.training.run.start import RunStart
from distill.training.watch.events import Event, StepMetrics
from tests.priors import tiny_prior

CODEC = "5" * 64
STARTS = (None, BASE, NOTHING)


@pytest.fixture
def model(trained: TrainingResult) -> LoadedVQModel:
    """A model that says it started from the base."""
    made = load_model_v2(trained.model_path)
    made.metadata["start"] = {"model": BASE, "digest": CODEC}
    return made


@pytest.fixture
def base(model: LoadedVQModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The prior that is installed for it."""
    torch.manual_seed(5)
    path = tmp_path / "base-prior.distill"
    write_starting_prior(path, CodePrior(tiny_prior(model)), CODEC, {})
    for module in (start_module, run_start):
        monkeypatch.setattr(module, "base_prior_paths", lambda: (path, tmp_path / "none.distill"))
    return path


def begun(run: Path) -> RunStart:
    return RunRequest.from_dict(RunFolder(run).read_request()).start


def test_a_prior_learns_on_from_its_base_and_a_run_that_was_stopped_ends_as_if_it_never_had(
    model: LoadedVQModel, base: Path, corpus: AudioCorpus, tmp_path: Path
) -> None:
    stop = threading.Event()

    def callback(event: Event) -> None:
        if isinstance(event, StepMetrics) and event.step == 3:
            stop.set()

    config = tiny_prior(model, max_steps=8)
    runs = {name: tmp_path / name for name in ("stopped", "whole", "nothing")}
    train_prior(model, corpus, runs["stopped"], config, "cpu", callback, stop)
    resumed = resume(runs["stopped"])
    whole = train_prior(model, corpus, runs["whole"], config, "cpu", start="base")
    nothing = train_prior(model, corpus, runs["nothing"], config, "cpu", start="none")
    digest = StartingPrior.described(base).digest
    assert begun(runs["stopped"]) == begun(runs["whole"]) == RunStart(BASE, digest)
    assert begun(runs["nothing"]) == RunStart()
    losses = [each.history.steps["loss"].tolist() for each in (resumed, whole, nothing)]
    assert losses[0] == losses[1] != losses[2]


def test_the_same_command_goes_on_where_the_base_did_not_fit(
    model: LoadedVQModel, base: Path, corpus: AudioCorpus, tmp_path: Path
) -> None:
    del base
    folder, run = corpus.files[0].path.parent, tmp_path / "run"
    train_prior(model, folder, run, tiny_prior(model, width=24, max_steps=2), "cpu", start="base")
    asked = {start: _is_same(RunFolder(run), model.digest, folder, {}, start) for start in STARTS}
    assert asked == {None: True, BASE: True, NOTHING: True}
    train_prior(
        model, folder, run, tiny_prior(model, max_steps=2), "cpu", start="none", overwrite=True
    )
    asked = {start: _is_same(RunFolder(run), model.digest, folder, {}, start) for start in STARTS}
    assert asked == {None: True, BASE: False, NOTHING: True}


def test_one_broken_file_of_ours_leaves_the_other_in_use(
    model: LoadedVQModel, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = base.with_name("broken.distill")
    broken.write_bytes(base.read_bytes()[:200])
    for module in (start_module, run_start):
        monkeypatch.setattr(module, "base_prior_paths", lambda: (broken, base))
    config = tiny_prior(model)
    chosen = RunStart.of_prior(BASE, model, config)
    assert chosen == RunStart(BASE, StartingPrior.described(base).digest)
    chosen.apply(CodePrior(config))


def test_before_the_first_step_its_weights_are_those_of_the_base(
    model: LoadedVQModel, base: Path
) -> None:
    config = tiny_prior(model)
    module = CodePrior(config)
    RunStart.of_prior(None, model, config).apply(module)
    expected = CodePrior(config)
    StartingPrior.described(base).give(expected)
    found, known = module.state_dict(), expected.state_dict()
    assert torch.equal(found["take.weight"], known["take.weight"])
    assert torch.equal(found["memory.weight_hh_l0"], known["memory.weight_hh_l0"])


def test_where_it_cannot_start_there_it_starts_from_nothing_and_says_why(
    model: LoadedVQModel, base: Path
) -> None:
    config = tiny_prior(model)
    other = tiny_prior(model, width=24)
    assert RunStart.of_prior(NOTHING, model, config) == RunStart()
    said = "starts from nothing: the base has other settings (width 16, here 24)"
    assert RunStart.of_prior(None, model, other) == RunStart(remark=said)
    with pytest.raises(ConfigError, match=r"^start='mine.distill': expected 'base' or 'none'"):
        RunStart.of_prior("mine.distill", model, config)

    base.write_bytes(base.read_bytes()[:-9])
    with pytest.raises(CorruptModelError, match=r"base-prior\.distill: truncated or altered"):
        RunStart.of_prior(BASE, model, config)
    chosen = RunStart.of_prior(None, model, config)  # by default that is no reason not to learn
    assert chosen.model == NOTHING and "truncated or altered" in chosen.remark


@pytest.mark.parametrize("start", [None, {}, {"model": "mine.distill"}, "base", {"model": BASE}])
def test_a_model_that_started_elsewhere_has_no_base(
    start: object, model: LoadedVQModel, base: Path
) -> None:
    del base
    if start is None:
        del model.metadata["start"]
    else:
        model.metadata["start"] = start
    config: PriorConfig = tiny_prior(model)
    assert RunStart.of_prior(None, model, config) == RunStart()
    said = "starts from nothing: its model did not start from a base of this distill"
    assert RunStart.of_prior(BASE, model, config) == RunStart(remark=said)


def test_from_the_base_recordings_are_gone_through_less_often(
    model: LoadedVQModel, base: Path, corpus: AudioCorpus
) -> None:
    settings = {"width": 16, "batch_size": 1, "segment_steps": 4}
    steps = {
        start: prior_config_for(model, corpus, start=start, **settings).max_steps
        for start in STARTS
    }
    assert steps[None] == steps[BASE]
    assert steps[BASE] / steps[NOTHING] == pytest.approx(9 / 25, rel=0.01)
    assert prior_config_for(model, corpus, max_steps=7, **settings).max_steps == 7
    other = prior_config_for(model, corpus, **{**settings, "width": 24})  # which the base is not
    assert other.max_steps == steps[NOTHING]
