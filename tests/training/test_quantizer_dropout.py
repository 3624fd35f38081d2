"""Training with quantizer dropout: its chances go on where they stopped."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import cast

import torch

from distill import AudioCorpus, VQVAEConfig
from distill.training import TrainingResult, resume, train
from distill.training.watch.event_lines import STEPS, Event
from tests.families import tiny


def weights(result: TrainingResult) -> dict[str, torch.Tensor]:
    return cast("dict[str, torch.Tensor]", result.load().model.state_dict())


def test_a_resumed_run_equals_one_that_was_never_stopped(
    corpus: AudioCorpus, tmp_path: Path
) -> None:
    config = tiny("vqvae", max_steps=12, checkpoint_every_s=0.0, quantizer_dropout=0.5)
    whole = train(config, corpus, tmp_path / "whole", "cpu")
    cancel = threading.Event()

    def stop(event: Event) -> None:
        if isinstance(event, STEPS) and event.step == 7:
            cancel.set()

    stopped = train(config, corpus, tmp_path / "parts", "cpu", stop, cancel)
    assert (stopped.reason, stopped.steps) == ("stopped", 8)
    resumed = resume(tmp_path / "parts")
    assert resumed.steps == whole.steps == 12
    for name, value in weights(whole).items():
        assert torch.equal(weights(resumed)[name], value), name


def test_dropout_changes_what_is_learned_and_stands_in_the_file(
    corpus: AudioCorpus, tmp_path: Path
) -> None:
    one, other = (
        train(
            tiny("vqvae", max_steps=3, quantizer_dropout=share),
            corpus,
            tmp_path / str(share),
            "cpu",
        )
        for share in (0.0, 1.0)
    )
    assert cast(VQVAEConfig, other.load().config).quantizer_dropout == 1.0
    first, second = weights(one), weights(other)
    assert any(not torch.equal(value, second[name]) for name, value in first.items())
