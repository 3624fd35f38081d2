"""The runs of a folder, at a glance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from distill.errors import RunFolderError
from distill.names import as_path, printable
from distill.tables import html_page, html_table, text_table
from distill.training.run.folder import RunFolder
from distill.training.run.request import RunRequest
from distill.training.run.states import NOT_ANSWERING, shown_epoch

DAMAGED = "damaged"
_LONGEST_NAME = 200
_COLUMNS = ("run", "state", "epoch", "step", "last seen", "folder")


@dataclass(frozen=True)
class RunInfo:
    """One run."""

    path: Path
    name: str
    state: str
    """See `distill.training.run.states`; "damaged" where its files cannot be read."""
    epoch: int
    """Epochs done."""
    step: int
    heartbeat: float
    """Unix time of the last sign of life; 0 where there was none."""
    problem: str = ""
    """What of its files cannot be read or used, and why; empty where nothing is wrong."""


class RunList(Sequence[RunInfo]):
    """Runs, newest sign of life first; shows itself as a table."""

    def __init__(self, runs: list[RunInfo]) -> None:
        self._runs = sorted(runs, key=lambda run: run.heartbeat, reverse=True)

    def __len__(self) -> int:
        return len(self._runs)

    def __getitem__(self, index):  # type: ignore[no-untyped-def]
        return self._runs[index]

    def __repr__(self) -> str:
        if not self._runs:
            return "no runs"
        return text_table(self._columns, self._rows(), numbers=False)

    def _repr_html_(self) -> str:
        if not self._runs:
            return html_page("no runs")
        return html_page("", html_table(self._columns, self._rows()))

    @property
    def _columns(self) -> tuple[str, ...]:
        return (*_COLUMNS, "problem") if any(run.problem for run in self._runs) else _COLUMNS

    def _rows(self) -> Iterator[tuple[str, ...]]:
        for run in self._runs:
            epoch = str(shown_epoch(run.epoch, run.state))
            where, step = printable(run.path), str(run.step)
            row = (printable(run.name), run.state, epoch, step, _when(run.heartbeat), where)
            yield (*row, run.problem) if len(self._columns) > len(_COLUMNS) else row


def list_runs(folder: str | Path) -> RunList:
    """The runs in a folder, or the one that it is.

    A run whose files are damaged, or are not ours, is a row with its reason.

    Raises:
        RunFolderError: no such folder, or it may not be read.
    """
    folder = as_path(folder, RunFolderError)
    try:
        places = [folder, *sorted(path for path in folder.iterdir() if _is_folder(path))]
    except (FileNotFoundError, NotADirectoryError):
        raise RunFolderError(f"{printable(folder)}: no such folder") from None
    except OSError as error:
        raise RunFolderError(f"{printable(folder)}: cannot be read ({error.strerror})") from error
    runs = [RunFolder(place) for place in places if RunFolder(place).is_run]
    states = [run.read_state(may_wait=False) for run in runs]
    # Clocks that disagree: whether these are alive shows after a moment, the same for all of them.
    states = [
        run.read_state() if state == NOT_ANSWERING else state
        for run, state in zip(runs, states, strict=True)
    ]
    return RunList([_poll(run, state) for run, state in zip(runs, states, strict=True)])


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _poll(run: RunFolder, state: str) -> RunInfo:
    name, problem = run.path.name, ""
    try:
        request = run.read_request()
        found = request.get("name", name)
        if isinstance(found, str):
            what = " prior" if request.get("codec") else ""  # it has the name of its model
            name = printable(found)[: _LONGEST_NAME - len(what)] + what
        if "model_type" in request:
            RunRequest.from_dict(request)
    except RunFolderError as error:
        problem, state = str(error), DAMAGED
    problem = problem or run.status_problem
    status = run.read_status()
    epoch, step, heartbeat = (
        (status.epoch, status.step, status.heartbeat) if status else (0, 0, 0.0)
    )
    return RunInfo(run.path, name, state, epoch, step, heartbeat, printable(problem))


def _when(heartbeat: float) -> str:
    return f"{datetime.fromtimestamp(heartbeat):%Y-%m-%d %H:%M}" if heartbeat else ""
