"""Widgets without a kernel: what they would send is kept, what a page would send is handed in."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import ipywidgets
import pytest
import torch
from ipywidgets.widgets import widget as widget_module

from distill import AudioCorpus, write_audio
from distill.codebook.health import codebook_health
from distill.family import family
from distill.latent.health import LatentHealth
from distill.training.run.preparation import begin_run
from distill.training.run.request import RunRequest
from distill.training.run.status import RunStatus
from distill.training.run.writer import hold_run
from distill.training.watch.event_lines import (
    EpochMetrics,
    Event,
    PreviewEvent,
    PreviewPair,
    StepMetrics,
    TrainingCompleteEvent,
)

from .node_page import NodePage, running_node


class MockComm:
    """A comm that keeps what is sent over it; for ipywidgets 7 and 8 alike."""

    numbers = itertools.count()
    target_name = "jupyter.widget"
    kernel = object()

    def __init__(self, **_: Any) -> None:
        self.comm_id = f"mock-{next(self.numbers)}"
        self.sent: list[tuple[Any, list[Any]]] = []
        self.is_open = True

    def on_msg(self, _callback: Any) -> None: ...

    def on_close(self, _callback: Any) -> None: ...

    def open(self, **_: Any) -> None: ...

    def send(self, data: Any = None, metadata: Any = None, buffers: Any = None, **_: Any) -> None:
        self.sent.append((data, list(buffers or [])))

    def close(self, *_: Any, **__: Any) -> None:
        self.is_open = False

    @property
    def custom(self) -> list[tuple[dict[str, Any], list[bytes]]]:
        """The custom messages so far."""
        return [(d["content"], b) for d, b in self.sent if d and d.get("method") == "custom"]


@pytest.fixture(autouse=True)
def comms(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[MockComm]]:
    """Every comm opened in the test."""
    opened: list[MockComm] = []

    def create(**arguments: Any) -> MockComm:
        opened.append(MockComm(**arguments))
        return opened[-1]

    if hasattr(widget_module, "Comm"):  # ipywidgets 7
        monkeypatch.setattr(widget_module, "Comm", create)
        monkeypatch.setattr(ipywidgets.Widget.comm, "klass", MockComm)
    else:
        monkeypatch.setattr(widget_module.comm, "create_comm", create)
    yield opened
    ipywidgets.Widget.close_all()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dashboards poll ten times as often as for people."""
    monkeypatch.setattr("distill_widgets.training.dashboard.PERIOD_S", 0.1)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A `FakeTrainer` has no heartbeat: it is not to look dead on a slow machine."""
    monkeypatch.setattr("distill.training.run.heartbeat.STALE_S", 3600.0)


@pytest.fixture
def open_page() -> Iterator[Callable[[Any], NodePage]]:
    """Opens pages that show a chart, with the JavaScript as shipped."""
    with running_node() as node:
        yield lambda chart: NodePage(node, chart)


def _levels(used: int) -> tuple[Any, ...]:
    counts = torch.zeros(3, 16, dtype=torch.int64)
    counts[:, :used] = 7
    return codebook_health(counts, [0.1, 0.2, 0.3])


def _latents(used: int) -> tuple[Any, ...]:
    nats = tuple(0.5 if unit < used else 0.0 for unit in range(16))
    return (LatentHealth(16, used, nats, sum(nats)),)


_OWN: dict[str, dict[str, Any]] = {
    "vqvae": {"stride": 2, "levels": 3, "codebook_size": 16},
    "vae": {"latent_dim": 16},
}
_HEALTH = {"vqvae": _levels, "vae": _latents}


class FakeTrainer:
    """A run of a family whose events a test writes itself, as fast as it likes."""

    def __init__(
        self,
        path: Path,
        corpus: AudioCorpus,
        *,
        kind: str = "vqvae",
        name: str = "drums & bass",
        device: str = "cpu",
        **config: Any,
    ) -> None:
        self.family = family(kind)
        self.config = self.family.config(**_OWN[kind], **config)
        self._step_event = self.family.step_event or partial(StepMetrics, kind)
        self._epoch_event = self.family.epoch_event or partial(EpochMetrics, kind)
        request = RunRequest.of(self.config, corpus, name=name, device=device)
        begin_run(path, request.to_dict())
        self._held = hold_run(path)
        self.writer = self._held.__enter__()
        self.path, self.step, self.epoch = path, 0, 0
        self.state("running")

    def state(self, word: str) -> None:
        self.writer.write_status(
            RunStatus.now(
                word, pid=os.getpid(), epoch=self.epoch, step=self.step, session=self.writer.session
            )
        )

    def steps(self, count: int) -> None:
        for _ in range(count):
            loss = 1 / (1 + self.step)
            self.report(
                self._step_event(
                    loss=loss,
                    parts=self._parts(loss),
                    learning_rate=1e-3,
                    gradient_norm=0.5,
                    elapsed_s=0.1 * (self.step + 1),
                    **self._place,
                )
            )
            self.step += 1

    def finish_epoch(self, *, is_best: bool = True, used: int = 10) -> None:
        self.report(
            self._epoch_event(
                train_loss=0.5,
                train_parts=self._parts(0.5),
                val_loss=0.6,
                val_parts=self._parts(0.6),
                is_best=is_best,
                elapsed_s=0.1 * self.step,
                health=_HEALTH[self.family.name](used),
                **self._place,
            )
        )
        self.epoch += 1

    @property
    def _place(self) -> dict[str, Any]:
        progress = min(1.0, self.step / 1000)
        return {"epoch": self.epoch, "step": self.step, "progress": progress}

    def _parts(self, loss: float) -> dict[str, float]:
        return {name: loss / n for n, name in enumerate(self.family.loss_parts, 2)}

    def preview(self, name: str = "kick <b>") -> None:
        folder = self.path / "previews" / f"epoch-{self.epoch:04}"
        folder.mkdir(parents=True)
        rate = self.config.spectrogram.sample_rate
        for number, kind in enumerate(("original", "reconstruction")):
            tone = torch.sin(torch.arange(rate // 2) * (0.05 + 0.02 * number))
            write_audio(folder / f"00-{kind}.wav", 0.5 * tone, rate)
        there = f"previews/{folder.name}"
        sides = [f"{there}/00-{kind}.wav" for kind in ("original", "reconstruction")]
        pair = PreviewPair(name, 0.5, *sides, 2.0, 3.0, 1.0, 1.5)
        self.report(PreviewEvent(self.epoch - 1, self.step, there, (pair,)))

    def report(self, event: Event) -> None:
        self.writer.append(event)

    def end(self) -> None:
        self.report(
            TrainingCompleteEvent(
                "max_steps", "model.distill", 0, 0.6, self.epoch, self.step, 0.1 * self.step
            )
        )
        self.state("finished")
        self.close()

    def close(self) -> None:
        if self._held is not None:
            self._held.__exit__(None, None, None)
            self._held = None


@pytest.fixture
def trainer(
    request: pytest.FixtureRequest, tmp_path: Path, corpus: AudioCorpus
) -> Iterator[FakeTrainer]:
    """Of an RVQ-VAE, or of the family that a test names as its parameter."""
    made = FakeTrainer(tmp_path / "run", corpus, kind=getattr(request, "param", "vqvae"))
    yield made
    made.close()
