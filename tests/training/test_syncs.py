"""How often a training step waits for the device: once for the engine, and what the codebooks of
vector-quantize-pytorch wait for.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from distill import AudioCorpus, VQVAEConfig
from distill.training.engine import processes
from distill.training.engine.engine import STOPPED_NOW, Engine, Reporter
from distill.training.engine.totals import StepResult
from distill.training.run.request import RunRequest
from distill.training.session.assembly import assemble

_WAITING = {"_local_scalar_dense", "nonzero", "bincount", "equal", "masked_select", "unique"}
_BY_MASK = {"index", "index_put", "index_put_"}
# torch.optim counts its steps on the CPU: reading them waits for nothing.
_OWNERS = ("vector_quantize_pytorch", "lightning_fabric", "torch/optim", "distill")


class Waits(TorchDispatchMode):
    """Counts operations for which the host waits, by the package that calls them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        name = func.__name__.split(".")[0]
        by_mask = name in _BY_MASK and any(
            isinstance(mask, torch.Tensor) and mask.dtype == torch.bool for mask in args[1]
        )
        if name in _WAITING or by_mask:
            self.found[_owner()] += 1
        return func(*args, **(kwargs or {}))


def _owner() -> str:
    """The package of the innermost caller."""
    frame = sys._getframe(2)
    while frame is not None:
        path = Path(frame.f_code.co_filename).as_posix()
        for owner in _OWNERS:
            if f"/{owner}/" in path:
                return owner
        frame = frame.f_back  # type: ignore[assignment]
    return "others"


class Watched(Reporter):
    """Ends after some steps; counts what the last of them waited for."""

    def __init__(self, steps: int) -> None:
        self.waits, self.transfers, self._steps = Waits(), 0, steps

    def between_steps(self, engine: Engine) -> str | None:
        if engine.step == self._steps - 1:
            self.transfers = 0
            self.waits.__enter__()
        return STOPPED_NOW if engine.step == self._steps else None

    def step_done(self, engine: Engine, result: StepResult, rate: float) -> None:
        if engine.step == self._steps - 1:
            self.waits.__exit__(None, None, None)
            self.at_the_end = self.transfers


@pytest.fixture
def watched(
    corpus: AudioCorpus, tiny_config: VQVAEConfig, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Watched]:
    reporter, real = Watched(4), processes.fetched

    def fetched(scalars: Any) -> list[float]:
        reporter.transfers += 1
        return real(scalars)

    monkeypatch.setattr(processes, "fetched", fetched)
    request = RunRequest.of(tiny_config, corpus, name="run", device="cpu")
    engine, _ = assemble(request, corpus.split(), lambda _task: reporter)
    engine.run()
    yield reporter


def test_a_step_waits_once_for_its_numbers_and_never_otherwise(watched: Watched) -> None:
    assert watched.at_the_end == 1
    assert watched.waits.found["distill"] == 0, watched.waits.found
    assert watched.waits.found["lightning_fabric"] == 0
    # Of each level: whether it holds anything yet, and whether an entry is dead.
    assert watched.waits.found["vector_quantize_pytorch"] >= 2 * 3


def test_sums_of_what_was_observed_are_fetched_at_reports_only(watched: Watched) -> None:
    assert watched.waits.found["others"] == 0


def test_the_counter_sees_what_waits() -> None:
    with Waits() as waits:
        bool(torch.isfinite(torch.ones(3)).all())
        torch.ones(3)[torch.tensor([True, False, True])]
    assert waits.found.total() == 2
