"""Several processes that torchrun starts train one model; see test_devices, too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import torch

from distill import (
    AudioCorpus,
    RunFolder,
    StepMetrics,
    VQStepMetrics,
    VQVAEConfig,
    load_model,
)
from distill.config import TrainingConfig
from distill.training.run.preparation import begin_run, extend_run
from distill.training.run.request import RunRequest
from tests.families import tiny

SCRIPT = """
import os, sys
import torch
torch.set_num_threads(1)
from distill.training import worker
from distill.training.engine import engine
real = engine.Engine.run
def run(self):
    reason = real(self)
    place = f"{sys.argv[1]}/../rank-{os.environ.get('RANK', 0)}.pt"
    torch.save(self.task.module.state_dict(), place)
    return reason
engine.Engine.run = run
sys.exit(worker.main())
"""


def train(run: Path, settings: TrainingConfig, corpus: AudioCorpus) -> None:
    begin_run(run, RunRequest.of(settings, corpus, name="run", device="cpu").to_dict())
    go_on(run)


def go_on(run: Path) -> None:
    script = run.parent / "trainer.py"
    script.write_text(SCRIPT)
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command = [sys.executable, *launcher, str(script), str(run)]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert answer.returncode == 0, answer.stderr[-3000:]


def test_replaced_entries_agree_and_a_run_is_resumed(corpus: AudioCorpus, tmp_path: Path) -> None:
    """Dead entries are drawn anew in both processes alike, also after a resume."""
    run = tmp_path / "run"
    settings = VQVAEConfig(
        width=16, latent_dim=8, codebook_size=64, segment_frames=24, batch_size=4, max_steps=12,
        min_steps_per_epoch=6, preview_every_epochs=0, checkpoint_every_s=0.0,
        dead_code_fraction=0.9, codebook_decay=0.5,
    )  # fmt: skip
    train(run, settings, corpus)
    extend_run(run, {"max_steps": 20})
    go_on(run)
    events = RunFolder(run).read_events()[0]
    steps = [event for event in events if isinstance(event, VQStepMetrics)]
    assert [event.step for event in steps] == list(range(20))
    assert any(level.churn > 0 for event in steps for level in event.health)
    ranks = [torch.load(tmp_path / f"rank-{n}.pt", weights_only=True) for n in (0, 1)]
    for name, value in ranks[0].items():
        assert torch.equal(value, ranks[1][name]), name


def test_two_processes_of_the_continuous_family_stay_one_model(
    corpus: AudioCorpus, tmp_path: Path
) -> None:
    """Each draws its own noise; weights, and the sums over the latents, are of both."""
    run = tmp_path / "run"
    train(run, tiny("vae", max_steps=12, batch_size=2), corpus)
    steps = [event for event in RunFolder(run).read_events()[0] if isinstance(event, StepMetrics)]
    assert [event.step for event in steps] == list(range(12))
    ranks = [torch.load(tmp_path / f"rank-{n}.pt", weights_only=True) for n in (0, 1)]
    for name, value in ranks[0].items():
        assert torch.equal(value, ranks[1][name]), name
    assert load_model(run / "model.distill").health
