"""The other processes of a run on several devices: they compute, the first alone touches files."""

from __future__ import annotations

from pathlib import Path

from distill.training.engine.engine import Engine
from distill.training.engine.loop import EpochResult, StepResult
from distill.training.run.checkpoint import load_vqvae_checkpoint
from distill.training.run.folder import RunFolder
from distill.training.run.request import RunRequest
from distill.training.session.assembly import assemble


class _Silent:
    """The reporter of a process that only computes: it says nothing and wants nothing."""

    def between_steps(self, engine: Engine) -> str | None:  # noqa: ARG002
        """See `Reporter`."""
        return None

    def must_end_now(self) -> bool:
        """See `Reporter`."""
        return False

    def step_done(self, engine: Engine, result: StepResult, rate: float) -> None:
        """See `Reporter`."""

    def step_skipped(self, engine: Engine, reason: str) -> None:
        """See `Reporter`."""

    def epoch_done(
        self, engine: Engine, training: EpochResult, validation: EpochResult, is_best: bool
    ) -> None:
        """See `Reporter`."""

    def last_moment(self, engine: Engine) -> None:
        """See `Reporter`."""


def run_replica(path: Path) -> None:
    """Computes along in a run on several devices; the first process alone touches its folder.

    Raises:
        DistillError: whatever ended the run.
    """
    folder = RunFolder(path)
    request, status = RunRequest.from_dict(folder.read_request()), folder.read_status()
    corpus = request.read_corpus(progress=False, last_host=status.host if status else "")
    split = corpus.split(request.config.validation_fraction)
    engine, _ = assemble(request, split, lambda _log_mel: _Silent())
    checkpoint = engine.fabric.broadcast(None)
    if checkpoint is not None:
        engine.load_state_dict(load_vqvae_checkpoint(Path(checkpoint), request.config))
    engine.run()
