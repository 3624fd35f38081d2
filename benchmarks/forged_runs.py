"""Run folders of strangers, and logs after a power cut: what distill does with them.

    python benchmarks/forged_runs.py                  # 1 000 of each kind
    python benchmarks/forged_runs.py --count 100

Hypothesis forges each: files with values of wrong types and ranges, deep, huge or cut; links, pipes
and folders in the place of every file; lines of any bytes before and after a checkpoint. With each
everything is done that people do: listed, looked at, attached to, commanded, resumed, begun anew.

Silent is a forged value that is taken for good, a log of which a line is neither shown nor counted,
or what lies after a checkpoint and stays. Hidden is a run that a list does not show. Killed is what
takes longer than half a minute.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from common import Counts, counts_table, parser
from hypothesis import HealthCheck, Phase, given, settings, strategies as st

from distill import CheckpointEvent, RunFolder, TrainingRunner, VQStepMetrics, VQVAEConfig
from distill.errors import DistillError
from distill.training import RunStatus
from distill.training.run.control import change_control, read_control
from distill.training.run.preparation import begin_run, extend_run
from distill.training.run.request import RunRequest
from distill.training.run.writer import RunWriter, hold_run
from distill.training.watch.event_lines import event_to_line

PATIENCE_S = 30
NAMES = ("run.json", "status.json", "control.json", "events.jsonl", "worker.log", "model.distill",
         "marks.json", ".lock", ".control.lock", ".reserve", "checkpoints", "previews",
         "checkpoints/step-000009.ckpt", "previews/epoch-0001",
         "previews/epoch-0001/00-original.wav", "checkpoints/.step-000009.ckpt.0123abcd.tmp",
         ".status.json.0123abcd.tmp")  # fmt: skip

# No field takes any of these; what is right for some are numbers and texts below.
never = st.one_of(
    st.sampled_from([10**400, -1, True, [[]], {"a": {}}, "x" * 200_000, [None] * 5000]),
    st.binary(min_size=1, max_size=20).map(lambda data: {"bytes": [data.hex()]}),
)
deep = st.integers(65, 200_000).map(lambda depth: b"[" * depth)


class Trial:
    """One forged folder beside a good one, and what came of it."""

    def __init__(self, home: Path, row: Counts) -> None:
        self.row, self.runs, self.outside = row, home / "runs", home / "outside"
        self.run = self.runs / "forged"
        (self.outside / "epoch-0001").mkdir(parents=True)
        for name in ("file", "step-000009.ckpt", "epoch-0001/00-original.wav"):
            (self.outside / name).write_bytes(b"mine\n")
        for name in ("forged", "good"):
            request = RunRequest.of(VQVAEConfig(max_steps=3), [], name=name, device="cpu")
            begin_run(self.runs / name, request.to_dict())
            with hold_run(self.runs / name) as writer:
                writer.append(step(0))
                writer.write_status(
                    RunStatus.now("stopped", pid=os.getpid(), epoch=0, step=1, session=1)
                )
        self.before = self.around()
        row.tried += 1

    def around(self) -> list[tuple[str, int, bytes]]:
        """What lies outside."""
        return sorted(
            (str(path), path.lstat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
            for path in self.outside.rglob("*")
        )

    def safely(self, deed: Callable[[], Any]) -> Any:
        """What a deed returns; None where it raised an error of ours."""
        try:
            return deed()
        except (DistillError, TimeoutError) as error:
            if isinstance(error, TimeoutError):
                raise
        except Exception as error:
            self.row.foreign += 1
            print(f"{self.row.kind}: {type(error).__name__}: {str(error)[:300]}", file=sys.stderr)
        return None

    def read(self) -> None:
        """What people do who only read."""
        folder = RunFolder(self.run)
        listed = self.safely(lambda: TrainingRunner.list(self.runs))
        names = [run.path.name for run in listed or []]
        present = [name for name in ("forged", "good") if RunFolder(self.runs / name).is_run]
        self.row.hidden += sum(name not in names for name in present)
        for deed in (
            lambda: (repr(listed), listed._repr_html_()), folder.read_request, folder.read_status,
            lambda: folder.read_state(may_wait=False), folder.read_events, folder.check_free,
            lambda: RunRequest.from_dict(folder.read_request()),
            lambda: TrainingRunner.list(self.run), self.attach,
        ):  # fmt: skip
            self.safely(deed)

    def attach(self) -> None:
        """What a dashboard and a report read."""
        runner = TrainingRunner.attach(self.run)
        try:
            for deed in (
                lambda: repr(runner), lambda: runner.history._repr_html_(),
                lambda: runner.result, lambda: runner.last_error, lambda: runner.trouble,
                lambda: runner.history.to_json(), lambda: runner.acknowledged(1),
            ):  # fmt: skip
                self.safely(deed)
        finally:
            runner.close()

    def command(self) -> None:
        """What people and trainers do who write."""
        for deed in (
            lambda: change_control(self.run, wanted="pause"), lambda: extend_run(self.run, {}),
            lambda: extend_run(self.run, {"max_steps": 9}), self.train,
            lambda: begin_run(self.run, {"name": "new"}, overwrite=True),
        ):  # fmt: skip
            self.safely(deed)

    def train(self) -> None:
        """What a trainer does to its folder."""
        with hold_run(self.run) as writer:
            writer.append(step(1))
            writer.rewind_events(0)
            writer.forget_previews(set())

    def judge(self) -> None:
        """Counts what happened outside."""
        self.row.written_outside += self.around() != self.before


def step(number: int) -> VQStepMetrics:
    return VQStepMetrics(0, number, 1.0, 0.9, 0.1, 1e-3, 1.0, 0.5, float(number))


@contextlib.contextmanager
def a_trial(row: Counts) -> Iterator[Trial]:
    def too_late(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, too_late)
    home = Path(tempfile.mkdtemp())
    signal.alarm(PATIENCE_S)
    try:
        trial = Trial(home, row)
        yield trial
        trial.read()
        trial.command()
        trial.judge()
    except TimeoutError:
        row.killed += 1
    finally:
        signal.alarm(0)
        shutil.rmtree(home, ignore_errors=True)


def forged(count: int, kind: str, *strategies: Any) -> Callable[[Any], Counts]:
    """Runs a function with `count` examples; it gets the row and what was drawn."""

    def decorate(function: Any) -> Counts:
        row = Counts(kind)

        @settings(
            max_examples=count, deadline=None, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(st.tuples(*strategies))
        def run(drawn: tuple[Any, ...]) -> None:
            function(row, *drawn)

        run()
        return row

    return decorate


def fields(count: int, name: str, good: list[str], taken: Callable[[Path], bool]) -> Counts:
    """A file of JSON with one field forged, or all of it."""
    kinds = st.one_of(
        st.tuples(st.sampled_from(good), never),
        st.tuples(st.just(""), st.one_of(deep, st.binary(max_size=200), st.just(b"null"))),
    )

    @forged(count, name, kinds)
    def row(row: Counts, drawn: tuple[str, Any]) -> None:
        field, value = drawn
        with a_trial(row) as trial:
            place = trial.run / name
            if field:
                values = json.loads(place.read_bytes())
                place.write_text(json.dumps({**values, field: value}))
            else:
                place.write_bytes(value)
            if trial.safely(lambda: taken(trial.run)):
                row.silent += 1
                print(f"{name}: {field or 'all'} {str(value)[:80]} was taken", file=sys.stderr)

    return row


def takes_request(run: Path) -> bool:
    return bool(RunRequest.from_dict(RunFolder(run).read_request()))


def takes_status(run: Path) -> bool:
    folder = RunFolder(run)
    return folder.read_status() is not None or not folder.status_problem


def takes_control(run: Path) -> bool:
    logging.disable(logging.NOTSET)
    said: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = said.append  # type: ignore[method-assign]
    logging.getLogger("distill.training.run.control").addHandler(handler)
    try:
        read_control(run)
        return not said
    finally:
        logging.getLogger("distill.training.run.control").removeHandler(handler)
        logging.disable(logging.CRITICAL)


def links(count: int) -> Counts:
    """Links and other things in the place of files."""
    kinds = ("link", "dangling", "relative", "hard", "itself", "above", "pipe", "folder")

    @forged(count, "links and pipes", st.lists(st.tuples(st.sampled_from(NAMES),
            st.sampled_from(kinds)), min_size=1, max_size=4))  # fmt: skip
    def row(row: Counts, drawn: list[tuple[str, str]]) -> None:
        with a_trial(row) as trial:
            for name, kind in drawn:
                with contextlib.suppress(OSError):
                    put(trial, trial.run / name, kind)
            trial.before = trial.around()

    return row


def put(trial: Trial, place: Path, kind: str) -> None:
    if os.path.realpath(place.parent) != os.path.abspath(place.parent):  # noqa: PTH100
        return  # there is a link on the way: what is put here must not be put outside
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    place.unlink(missing_ok=True)
    is_folder = place.name in ("checkpoints", "previews", "epoch-0001")
    target = trial.outside if is_folder else trial.outside / "file"
    if kind == "hard":
        place.hardlink_to(trial.outside / "file")
    elif kind == "pipe":
        os.mkfifo(place)
    elif kind == "folder":
        place.mkdir()
    else:
        relative = Path(os.path.relpath(target, place.parent))
        where = {
            "link": target, "dangling": trial.outside / "new", "itself": Path(place.name),
            "above": Path(".."), "relative": relative,
        }  # fmt: skip
        place.symlink_to(where[kind])


NOTE = event_to_line(CheckpointEvent(0, 3, "checkpoints/step-000003.ckpt", True))
pieces = st.one_of(
    st.binary(max_size=80),
    st.sampled_from([b"\n", bytes(5000), b"null\n", b"\r\n", b"z" * (5 << 20), NOTE,
                     event_to_line(step(1)), b'{"event":"Later"}\n']),
    st.integers(0, 120).map(lambda size: event_to_line(step(2))[:size]),
    deep,
)  # fmt: skip


def tails(count: int) -> Counts:
    """Any bytes before and after a checkpoint, or fewer than it says."""

    @forged(count, "log tails", st.lists(pieces, max_size=4), st.lists(pieces, max_size=6),
            st.integers(0, 3))  # fmt: skip
    def row(row: Counts, before: list[bytes], after: list[bytes], cut: int) -> None:
        with a_trial(row) as trial:
            head = b"".join(before)
            head += b"" if head.endswith(b"\n") or not head else b"\n"
            log = trial.run / "events.jsonl"
            tail = b"".join(after)
            log.write_bytes(head[: len(head) // 2] if cut == 3 else head + tail)
            with hold_run(trial.run) as writer:
                trial.safely(lambda: rewound(row, writer, head, is_cut=cut == 3))
            trial.safely(lambda: shown(row, trial.run))

    return row


def rewound(row: Counts, writer: RunWriter, head: bytes, *, is_cut: bool) -> None:
    said = writer.rewind_events(len(head))
    writer.append(step(7))
    data = (writer.path / "events.jsonl").read_bytes()
    rest = data[: -len(event_to_line(step(7)))]
    short = is_cut and len(head) > 0
    fine = [head, head + NOTE, head[: len(head) // 2], head[: len(head) // 2] + b"\n"]
    if rest not in fine or bool(said) != short or not data.endswith(event_to_line(step(7))):
        row.silent += 1
        print(f"log tails: {said!r}, {len(rest)} bytes of {len(head)}", file=sys.stderr)


def shown(row: Counts, run: Path) -> None:
    runner = TrainingRunner.attach(run)
    runner.close()
    history, gaps = runner.history, runner.history.gaps
    seen = history.step_count + len(history.checkpoints)
    counted = seen + gaps.unreadable + sum(gaps.later.values())
    lines = (run / "events.jsonl").read_bytes().count(b"\n")
    if counted != lines or bool(gaps) != (runner.trouble is not None):
        row.silent += 1
        print(f"log tails: {counted} of {lines} lines shown or counted", file=sys.stderr)


def main() -> None:
    asked = parser(__doc__ or "", count=1000).parse_args()
    logging.disable(logging.CRITICAL)
    began = time.perf_counter()
    request = ["name", "model_type", "config", "device", "sources", "versions", "corpus", "refused",
               "origin", "folders", "left_out"]  # fmt: skip
    status = ["state", "pid", "host", "heartbeat", "epoch", "step", "session", "acknowledged"]
    with tempfile.TemporaryDirectory() as key:
        os.environ["DISTILL_STATE"] = key
        rows = [
            fields(asked.count, "run.json", request, takes_request),
            fields(asked.count, "status.json", status, takes_status),
            fields(asked.count, "control.json", ["serial", "wanted", "previews", "saves"],
                   takes_control),
            links(asked.count),
            tails(asked.count),
        ]  # fmt: skip
    print(f"{time.perf_counter() - began:.0f} s")
    sys.exit(bool(counts_table("Forged run folders and logs", rows, asked)))


if __name__ == "__main__":
    main()
