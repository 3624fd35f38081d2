"""What it costs to train where nobody has to stay: process, thread, events, attaching.

"none" is the same trainer in a process that nobody watches.

    python benchmarks/sessions.py

Step times come from the run's own events, in turns of one run; events and attaching are measured
without training, on the files alone.
"""

from __future__ import annotations

import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, cast

from common import parser, recordings, report, save

from distill import AudioCorpus, RunFolder, TrainingRunner, VQStepMetrics, VQVAEConfig
from distill.training.run.preparation import begin_run
from distill.training.run.request import RunRequest
from distill.training.run.status import RunStatus
from distill.training.run.writer import RunWriter, hold_run
from distill.training.runner import Backend
from distill.training.watch.event_lines import event_to_line
from distill.training.watch.follower import Follower


def step_ms(run: Path) -> float:
    """Median time from step to step, within epochs."""
    events = [e for e in RunFolder(run).read_events()[0] if isinstance(e, VQStepMetrics)]
    pairs = itertools.pairwise(events)
    return 1e3 * statistics.median(
        b.elapsed_s - a.elapsed_s for a, b in pairs if a.epoch == b.epoch
    )


def unwatched(config: VQVAEConfig, corpus: AudioCorpus, run: Path) -> dict[str, float]:
    """The trainer alone."""
    begin_run(run, RunRequest.of(config, corpus, name="none", device="cpu").to_dict())
    worker = [sys.executable, "-m", "distill.training.worker", str(run)]
    subprocess.run(worker, check=True, stderr=subprocess.DEVNULL)
    return {"none ms": step_ms(run)}


def watched(
    backend: Backend, config: VQVAEConfig, corpus: AudioCorpus, run: Path
) -> dict[str, float]:
    """The trainer, and a runner that follows it."""
    runner = TrainingRunner(backend)
    began = time.monotonic()
    runner.start_vqvae(config, corpus, run, "cpu")
    while not runner.history.step_count:
        time.sleep(0.05)
    first = time.monotonic() - began
    runner.wait(progress=False)
    return {f"{backend} to step s": first, f"{backend} ms": step_ms(run)}


def one_turn(turn: int, config: VQVAEConfig, corpus: AudioCorpus, home: Path) -> dict[str, float]:
    """All three, in another order each turn: a machine that slows down slows each as often."""
    kinds = ["none", "thread", "process"]
    kinds = kinds[turn % 3 :] + kinds[: turn % 3]
    kinds = kinds[::-1] if turn % 2 else kinds
    row: dict[str, float] = {}
    for kind in kinds:
        if kind == "none":
            row |= unwatched(config, corpus, home / kind)
        else:
            row |= watched(cast(Backend, kind), config, corpus, home / kind)
    row = {name: row[name] for name in sorted(row)}
    row["process / none"] = row["process ms"] / row["none ms"]
    row["process / thread"] = row["process ms"] / row["thread ms"]
    return row


def memory_mb() -> float:
    """Memory this process takes now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def step(number: int) -> VQStepMetrics:
    return VQStepMetrics(number // 500, number, 0.4, 0.35, 0.2, 1e-3, 0.7, 0.5, number * 0.08)


def throughput(home: Path, count: int) -> dict[str, Any]:
    """A writer and a watcher with a callback, side by side."""
    begin_run(home / "events", {"name": "events"})
    got, ended = itertools.count(), threading.Event()
    with hold_run(home / "events") as writer:
        follower = Follower(writer, lambda _event: next(got), trainer_ended=ended.is_set)
        follower.start()
        before, began = 0.0, time.perf_counter()
        for number in range(count):
            writer.append(step(number))
            if number == count // 2:
                before = memory_mb()
        written = time.perf_counter() - began
        ended.set()
        follower.wait()
        seen = time.perf_counter() - began
    assert next(got) == count
    return {
        "events": count, "written/s": count / written, "handed over/s": count / seen,
        "us an event": 1e6 * written / count, "MB grown in the 2nd half": memory_mb() - before,
    }  # fmt: skip


def attaching(home: Path, count: int) -> dict[str, Any]:
    """The log of a long run, and a watcher that arrives late."""
    path = home / "long"
    begin_run(path, {"name": "long"})
    with (path / "events.jsonl").open("wb") as file:
        file.writelines(event_to_line(step(number)) for number in range(count))
    with hold_run(path) as held:
        finished(held)
    began = time.perf_counter()
    runner = TrainingRunner.attach(path)
    taken = time.perf_counter() - began
    assert runner.history.step_count == count
    size = (path / "events.jsonl").stat().st_size / 1e6
    runner.close()
    return {"events": count, "log MB": size, "attach s": taken}


def crowd(home: Path, count: int, events: int) -> dict[str, Any]:
    """A writer of a hundred events a second, alone and with many watchers in this process.

    Each watcher has all of a run that holds many events already before the writer begins.
    """
    path = home / "crowd"
    begin_run(path, {"name": "crowd"})
    row: dict[str, Any] = {"watchers": count, "events before": events}
    with (path / "events.jsonl").open("wb") as file:
        file.writelines(event_to_line(step(number)) for number in range(events))
    with hold_run(path) as writer:
        running(writer)
        row["event alone us"] = 1e6 * paced(writer, events, 100)
        began = time.perf_counter()
        runners = [TrainingRunner.attach(path) for _ in range(count)]
        row["attach each s"] = (time.perf_counter() - began) / count
        before, spent = memory_mb(), time.process_time()
        row["event with all us"] = 1e6 * paced(writer, events + 100, 400)
        row["cores they take"] = (time.process_time() - spent) / 4.0
        row["MB grown meanwhile"] = memory_mb() - before
        finished(writer)
    for runner in runners:
        while runner.history.step_count < events + 500:
            time.sleep(0.01)
        runner.close()
    return row


def paced(writer: RunWriter, first: int, count: int) -> float:
    """Median time that an event takes, at a hundred a second."""
    taken, began = [], time.perf_counter()
    for number in range(count):
        time.sleep(max(0.0, began + number / 100 - time.perf_counter()))
        start = time.perf_counter()
        writer.append(step(first + number))
        taken.append(time.perf_counter() - start)
        if number % 25 == 0:
            running(writer)
    return statistics.median(taken)


def running(writer: RunWriter) -> None:
    writer.write_status(RunStatus.now("running", pid=os.getpid(), epoch=0, step=1, session=1))


def finished(writer: RunWriter) -> None:
    writer.write_status(RunStatus("finished", os.getpid(), "", time.time(), 1, 1, 1, 0))


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--turns", type=int, default=6)
    options.add_argument("--steps", type=int, default=100)
    options.add_argument("--watchers", type=int, default=200)
    options.add_argument("--files-only", action="store_true", help="without training")
    arguments = options.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as home:
        report("Events", [throughput(Path(home), 100_000)])
        attached = attaching(Path(home), 1_000_000)
        report("Attaching to a long run (at most 2 s)", [attached])
        report("Many watchers", [crowd(Path(home), arguments.watchers, 10_000)])
    save(arguments, {"attach_s": attached["attach s"]}, "-files")
    if arguments.files_only:
        return
    corpus = AudioCorpus.scan(recordings(), progress=False)
    config = VQVAEConfig(
        max_steps=arguments.steps, min_steps_per_epoch=arguments.steps, preview_every_epochs=0
    )
    for turn in range(arguments.turns):
        with tempfile.TemporaryDirectory() as home:
            rows.append({"turn": turn, **one_turn(turn, config, corpus, Path(home))})
    report("A step: none, in a thread, in a process", rows, arguments.json)
    for name in ("process / none", "process / thread"):
        ratio = statistics.median(row[name] for row in rows)
        print(f"median {name} {ratio:.3f} (to stay at or below 1.02)")
    in_process = statistics.median(row["process / none"] for row in rows)
    save(arguments, {"process_ratio": in_process})


if __name__ == "__main__":
    main()
