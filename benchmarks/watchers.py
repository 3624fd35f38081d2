"""Many who watch one run: what each costs, the first and the last, and what the trainer pays.

    python benchmarks/watchers.py [--dashboards 50] [--watchers 200] [--events 1000000]

Dashboards without pages: what the kernel pays. All ratios are of one run.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from common import parser, report, save

from distill import RunFolder, TrainingRunner, VQStepMetrics, VQVAEConfig
from distill.training.run.preparation import begin_run
from distill.training.run.request import RunRequest
from distill.training.run.status import RunStatus
from distill.training.run.writer import hold_run
from distill.training.watch.event_lines import event_to_line
from distill_widgets import TrainingDashboard

_LIVE_EVENTS = 2_000
_EVENTS_A_SECOND = 100


def step(number: int) -> VQStepMetrics:
    return VQStepMetrics(number // 500, number, 0.4, 0.35, 0.2, 1e-3, 0.7, 0.5, number * 0.08)


def begun(path: Path, events: int) -> Path:
    """A run whose log is as long as that."""
    request = RunRequest.of(VQVAEConfig(), path.parent, name=path.name, device="cpu")
    begin_run(path, request.to_dict())
    with (path / "events.jsonl").open("wb") as log:
        log.writelines(event_to_line(step(number)) for number in range(events))
    return path


def opened(make: Callable[[], Any], count: int) -> tuple[list[Any], list[float]]:
    """Many of them, and the seconds that each took."""
    made, took = [], []
    for _ in range(count):
        began = time.perf_counter()
        made.append(make())
        took.append(time.perf_counter() - began)
    return made, took


def row_of(kind: str, took: list[float], **more: Any) -> dict[str, Any]:
    few = max(1, len(took) // 5)
    first, last = statistics.median(took[:few]), statistics.median(took[-few:])
    return {
        "who watches": kind, "how many": len(took), "each s": statistics.median(took),
        "last / first": last / first, "all at the end": True, **more,
    }  # fmt: skip


def dashboards(home: Path, count: int, events: int) -> dict[str, Any]:
    """Dashboards that share one runner, over a long log."""
    runner = TrainingRunner.attach(begun(home / "long", events))
    made, took = opened(lambda: TrainingDashboard(runner), count)
    whole = all(one.runner.history.step_count == events for one in made)
    small = max(max(one.loss.points) for one in made)
    for one in made:
        one.close()
    runner.close()
    return row_of("a dashboard", took) | {"all at the end": whole and small <= 4096}


class Trainer:
    """A process of its own that holds a run, and writes its events when it is asked to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        command = [sys.executable, __file__, "--write", str(path)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._line()  # it holds the run

    def write(self) -> float:
        """Seconds that the writing itself took."""
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.close()
        took = float(self._line())
        self._process.wait()
        return took

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


def write_events(path: Path) -> None:
    """What that process does: at the pace of a fast training, so that all can keep up."""
    took = 0.0
    with hold_run(path) as writer:
        writer.write_status(RunStatus.now("running", pid=os.getpid(), epoch=0, step=0, session=1))
        print("ready", flush=True)
        sys.stdin.readline()
        for number in range(_LIVE_EVENTS):
            began = time.perf_counter()
            writer.append(step(number))
            took += time.perf_counter() - began
            time.sleep(1 / _EVENTS_A_SECOND)
        writer.write_status(RunStatus.now("finished", pid=os.getpid(), epoch=1, step=1, session=1))
    print(took, flush=True)


def watchers(home: Path, count: int) -> dict[str, Any]:
    """Runners that follow a run while it is written, and the same run with nobody watching."""
    by_itself = Trainer(begun(home / "alone", 0)).write()
    trainer = Trainer(begun(home / "watched", 0))
    made, took = opened(lambda: TrainingRunner.attach(trainer.path), count)
    began, used = time.monotonic(), time.process_time()
    watched = trainer.write()
    ends = time.monotonic() + 120
    while time.monotonic() < ends and not all(one.is_caught_up for one in made):
        time.sleep(0.1)
    cores = (time.process_time() - used) / (time.monotonic() - began)
    whole = all(one.history.step_count == _LIVE_EVENTS for one in made)
    for one in made:
        one.close()
    same = RunFolder(trainer.path).events_bytes == RunFolder(home / "alone").events_bytes
    return row_of("a watcher", took, **{"an append, watched / alone": watched / by_itself}) | {
        "all at the end": whole and same, "cores of all": cores,
    }  # fmt: skip


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--dashboards", type=int, default=50)
    options.add_argument("--watchers", type=int, default=200)
    options.add_argument("--events", type=int, default=1_000_000)
    options.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    arguments = options.parse_args()
    if arguments.write:
        write_events(arguments.write)
        return
    with tempfile.TemporaryDirectory() as home:
        first = dashboards(Path(home), arguments.dashboards, arguments.events)
        second = watchers(Path(home), arguments.watchers)
    rows = [{**dict.fromkeys(second, ""), **first}, second]
    report(f"Many who watch; the dashboards at {arguments.events:,} events", rows, arguments.json)
    ratio, cores = second["an append, watched / alone"], second["cores of all"]
    save(arguments, {"append_ratio": ratio, "cores": cores})


if __name__ == "__main__":
    main()
