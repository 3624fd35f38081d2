"""What distill gets of a machine that others use too, against its fair share of the cores.

    python benchmarks/shared_machine.py [--slices 6] [--seconds 5] [--jobs trainer,command,encode]

*Before* is OpenMP's own way of waiting, spinning, and the system's turns; *fixed* is threads that
sleep after a short spin (`distill/threads.py`) and take short turns, where the system has them
(`distill/time_slices.py`), as in a kernel; *now* is what a process of ours does: it spins for as
long as it has the machine for itself (`distill/training/engine/waiting.py`). All processes live
through the whole benchmark and are stopped by signals. One neighbour at a time, each way goes on
for some seconds, round by round, and *before* alone with them, so that a machine that is slower
for a while is so for all.

    fair  = cores / busy threads, at most 1: two threads beside one busy loop on two cores get 2/3
    share = speed here / speed of *before* alone, in the same rounds / fair

`--beside tenth,half` has neighbours who are busy for that much of each tenth of a second, as a page
that draws is.

A slice in which processes that are none of ours used more than a twentieth of the cores is left
out; where no slice is left, the row says "not quiet" and counts all of them.
"""

from __future__ import annotations

import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common import parser, recordings, report, save, sounds_in

CORES = os.cpu_count() or 1
NO_TURNS = "import distill.time_slices as t; t.take_short_turns = lambda: False\n"
RUN = "import runpy, sys; sys.argv = sys.argv[1:]\n"
RUN += "runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)"
WAYS: dict[str, dict[str, str]] = {
    "before": {"GOMP_SPINCOUNT": "300000"},  # what GNU's OpenMP does when nothing is set
    "fixed": {"GOMP_SPINCOUNT": "1000", "OMP_WAIT_POLICY": "PASSIVE"},
    "now": {"GOMP_SPINCOUNT": "300000", "KMP_BLOCKTIME": "0"},  # as `own_environment` says
}
OTHERS = ("nobody", "1 loop", "2 loops", "training", "dashboard")
LOOPS = {"nobody": 0.0, "tenth": 0.1, "half": 0.5, "1 loop": 1.0, "2 loops": 2.0}  # cores busy
LOOP = """
import sys, time
busy, period = float(sys.argv[1]), 0.1
while True:
    ends = time.perf_counter() + busy * period
    while time.perf_counter() < ends or busy == 1:
        pass
    time.sleep((1 - busy) * period)
"""
SETTLE_S = 0.4
ADAPT_S = 6.0  # until a process has chosen how to wait beside another neighbour
QUIET = 0.05
ONE_PROCESS = ("--epochs", 99999, "--prepare", "--devices", 1)

ENCODE = """
import itertools, sys
from distill.threads import spin_at_first
from distill.time_slices import take_short_turns
from distill.training.engine.waiting import FairWaiting
spin_at_first()  # as the command line does
take_short_turns()
FairWaiting().__enter__()
from distill import read_audio, load_model_v2
from distill.models.use.side_by_side import side_by_side
each = {"one by one": map, "side by side": side_by_side}[sys.argv[1]]
model, read = load_model_v2(sys.argv[2]), [read_audio(p) for p in sys.argv[4:]]
# All of one length: what is counted are sounds.
sounds = [(wave[:rate], rate) for wave, rate in read if len(wave) >= rate]
with open(sys.argv[3], "a", buffering=1) as done:
    for _ in each(lambda sound: model.reconstruct(*sound), itertools.cycle(sounds)):
        done.write("one\\n")
"""
DASHBOARD = """
import sys, time, types
from unittest import mock
import ipywidgets.widgets.widget as w
if hasattr(w, "comm"):
    w.comm.create_comm = lambda **_: mock.MagicMock(comm_id="c")
from distill_widgets import TrainingDashboard
dashboard = TrainingDashboard(sys.argv[1])
while True:
    time.sleep(1)
"""


class Job:
    """A process that makes one line of progress after another, and can be stopped."""

    def __init__(self, command: list[Any], progress: Path | None, way: dict[str, str]) -> None:
        chosen = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME", "OMP_NUM_THREADS")
        environment = {name: value for name, value in os.environ.items() if name not in chosen}
        self.process = subprocess.Popen(
            [sys.executable, *map(str, command)],
            env=environment | way,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.progress, self._place, self._mark = progress, 0, b"\n"

    def ready(self, settle_s: float = 0.0) -> Job:
        """Waits for its first progress and stops it there."""
        while self.progress and not self.new_lines():
            if self.process.poll() is not None:
                sys.exit(f"a job ended with {self.process.returncode}")
            time.sleep(0.05)
        time.sleep(settle_s)
        self.send(signal.SIGSTOP)
        return self

    def new_lines(self) -> int:
        if self.progress is None or not self.progress.exists():
            return 0
        with self.progress.open("rb") as file:
            file.seek(self._place)
            text = file.read()
        self._place += len(text)
        return text.count(b"VQStepMetrics") + text.count(b"one\n")

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass
class Slice:
    """Some seconds of a job beside others."""

    speed: float
    cores: float
    neighbours: float
    foreign: float


def machine_busy_s() -> float:
    user, nice, system, *_ = map(int, Path("/proc/stat").read_text().split("\n")[0].split()[1:])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")


def one_slice(job: Job, others: list[Job], seconds: float) -> Slice:
    for one in [*others, job]:
        one.send(signal.SIGCONT)
    time.sleep(SETTLE_S)
    job.new_lines()
    ours = [job, *others]
    before = [machine_busy_s(), *(one.cpu_s() for one in ours)]
    own = time.process_time()
    began, stamps = time.monotonic(), []
    while time.monotonic() - began < seconds or len(stamps) < 3:
        stamps += [time.monotonic()] * job.new_lines()
        time.sleep(0.004)
    took = time.monotonic() - began
    own = time.process_time() - own
    used = [b - a for a, b in zip(before, [machine_busy_s(), *(one.cpu_s() for one in ours)])]  # noqa: B905
    for one in ours:
        one.send(signal.SIGSTOP)
    return Slice(
        speed=(len(stamps) - 1) / (stamps[-1] - stamps[0]),
        cores=used[1] / took,
        neighbours=sum(used[2:]) / took,
        foreign=max(0.0, used[0] - sum(used[1:]) - own) / took / CORES,
    )


class Bench:
    """All processes, and how to start each kind."""

    def __init__(self, folder: Path, sounds: list[Path]) -> None:
        self.folder, self.sounds, self.jobs = folder, sounds, []
        self.model = folder / "model" / "model.distill"

    def start(self, command: list[Any], progress: Path | None, way: dict[str, str]) -> Job:
        watcher = DASHBOARD in command
        if command[0] == "-m":
            command = ["-c", RUN, *command[1:]]
        if way is WAYS["before"]:
            command = ["-c", NO_TURNS + command[1], *command[2:]]
        job = Job(command, progress, way)
        self.jobs.append(job)
        return job.ready(settle_s=15.0 if watcher else 0.0)

    def prepared(self, name: str) -> Path:
        first = self.folder / "prepared"
        if not first.exists():
            self.cli("train", self.sounds[0].parent, "--out", first, *ONE_PROCESS)
        return Path(shutil.copytree(first, self.folder / name))

    def cli(self, *arguments: Any) -> None:
        command = [sys.executable, "-m", "distill.cli", *map(str, arguments)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def job(self, kind: str, name: str, way: dict[str, str]) -> Job:
        """A trainer's process, the command line's training, or sounds through a model."""
        if kind == "trainer":
            run = self.prepared(name)
            return self.start(["-m", "distill.training.worker", run], run / "events.jsonl", way)
        if kind == "command":
            run = self.folder / name
            command = ["-m", "distill.cli", "train", self.sounds[0].parent, "--out", run]
            return self.start([*command, "--epochs", 100000], run / "events.jsonl", way)
        if not self.model.exists():
            self.cli("train", self.sounds[0].parent, "--out", self.model.parent, "--max-seconds", 5)
        progress = self.folder / f"{name}.txt"
        each = "one by one" if way is WAYS["before"] else "side by side"
        command = ["-c", ENCODE, each, self.model, progress, *self.sounds[:8]]
        return self.start(command, progress, way)

    def close(self, jobs: Iterable[Job] | None = None) -> None:
        for job in list(self.jobs if jobs is None else jobs):
            job.send(signal.SIGKILL)
            job.process.wait()
            self.jobs.remove(job)


def neighbours_of(bench: Bench, kind: str, way: str, name: str) -> list[Job]:
    if name == "training":
        return [bench.job("trainer", f"{kind}-{way}-second", WAYS[way])]
    if name == "dashboard":
        return [bench.start(["-c", DASHBOARD, bench.folder / f"{kind}-{way}"], None, {})]
    left, loops = LOOPS[name], []
    while left > 0:
        loops.append(bench.start(["-c", LOOP, min(left, 1.0)], None, {}))
        left -= 1
    return loops


def slices_of(kind: str, bench: Bench, options: Any) -> dict[tuple[str, str], list[Slice]]:
    """The slices of each way beside each neighbour; those of *before* alone as way "alone"."""
    jobs = {way: bench.job(kind, f"{kind}-{way}", WAYS[way]) for way in WAYS}
    found: dict[tuple[str, str], list[Slice]] = {}
    for name in options.beside.split(","):
        if name == "dashboard" and kind == "encode":
            continue
        others = {way: neighbours_of(bench, kind, way, name) for way in WAYS}
        for way in WAYS:
            one_slice(jobs[way], others[way], ADAPT_S)
        cases = [("alone", jobs["before"], [])]
        cases += [(way, jobs[way], others[way]) for way in WAYS]
        for _ in range(options.slices):
            for way, job, beside in cases:
                taken = one_slice(job, beside, options.seconds)
                found.setdefault((way, name), []).append(taken)
                time.sleep(options.rest)
        bench.close(one for beside in others.values() for one in beside)
    return found


def rows_of(kind: str, bench: Bench, options: Any) -> list[dict[str, Any]]:
    slices = slices_of(kind, bench, options)
    rows = []
    for (way, name), taken in slices.items():
        if way == "alone":
            continue
        alone = middle(slices["alone", name], "speed")
        busy = LOOPS | {"training": float(CORES)}
        threads = busy.get(name, middle(taken, "neighbours"))
        fair = min(1.0, CORES / (CORES + threads))
        speed = middle(taken, "speed")
        rows.append(
            {
                "job": kind, "beside": name, "waiting": way, "a second": speed,
                "of alone": speed / alone, "fair": fair, "share": speed / alone / fair,
                "its cores": middle(taken, "cores"),
                "theirs": middle(taken, "neighbours"),
                "quiet": f"{len(quiet(taken))} of {len(taken)}" if quiet(taken) else "not quiet",
            }
        )  # fmt: skip
    return rows


def quiet(taken: list[Slice]) -> list[Slice]:
    return [one for one in taken if one.foreign <= QUIET]


def middle(taken: list[Slice], name: str) -> float:
    return statistics.median(getattr(one, name) for one in quiet(taken) or taken)


def shares(rows: list[dict[str, Any]]) -> dict[str, list[float]]:
    """What each job got of its fair share, beside one neighbour after the other; and alone, by how
    much it is faster than before.
    """
    found: dict[str, list[float]] = {}
    for row in rows:
        if row["beside"] == "nobody":
            continue
        found.setdefault(f"{row['job']}_{row['waiting']}", []).append(row["share"])
    speeds = {
        (row["job"], row["waiting"]): row["a second"] for row in rows if row["beside"] == "nobody"
    }
    for job, way in speeds:
        if way == "now" and (job, "before") in speeds:
            found[f"{job}_idle"] = [speeds[job, way] / speeds[job, "before"]]
    return found


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--slices", type=int, default=6)
    options.add_argument("--seconds", type=float, default=5.0)
    options.add_argument("--jobs", default="trainer,command,encode")
    options.add_argument("--beside", default=",".join(OTHERS))
    options.add_argument("--sounds", type=Path, help="a folder; default real recordings")
    options.add_argument("--way", action="append", default=[], help="more ways: name:VAR=value,…")
    options.add_argument("--rest", type=float, default=0.0, help="seconds after each slice")
    arguments = options.parse_args()
    for text in arguments.way:
        name, _, values = text.partition(":")
        WAYS[name] = dict(value.split("=") for value in values.split(","))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    sounds = sounds_in(arguments.sounds) if arguments.sounds else recordings()
    rows = []
    for kind in arguments.jobs.split(","):
        with tempfile.TemporaryDirectory() as folder:
            bench = Bench(Path(folder), sounds)
            try:
                rows += rows_of(kind, bench, arguments)
            finally:
                bench.close()
        print(*rows[-len(OTHERS) * len(WAYS) :], sep="\n", flush=True)  # should a later one fail
    report("Shares of a machine", rows, arguments.json)
    now = [row for row in rows if row["waiting"] == "now"]
    least = min((row["share"] for row in now if row["beside"] != "nobody"), default=1.0)
    lost = max((1 - row["share"] for row in now if row["beside"] == "nobody"), default=0.0)
    print(f"least share {least:.2f} (to stay at or above 0.9); lost on an idle machine {lost:.1%}")
    save(arguments, shares(rows), f"-{arguments.beside}" if "," not in arguments.beside else "")


if __name__ == "__main__":
    main()
