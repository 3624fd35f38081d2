"""The runs of a folder, at a glance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from distill.errors import RunFolderError
from distill.tables import html_page, html_table, text_table
from distill.training.run_folder import RunFolder
from distill.training.states import ACTIVE

_COLUMNS = ("run", "state", "epoch", "step", "last seen", "folder")


@dataclass(frozen=True)
class RunInfo:
    """One run."""

    path: Path
    name: str
    state: str
    """See `distill.training.states`; "damaged" where its files cannot be read."""
    epoch: int
    """Epochs done."""
    step: int
    heartbeat: float
    """Unix time of the last sign of life; 0 where there was none."""


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
        return text_table(_COLUMNS, self._rows(), numbers=False)

    def _repr_html_(self) -> str:
        if not self._runs:
            return html_page("no runs")
        return html_page("", html_table(_COLUMNS, self._rows()))

    def _rows(self) -> Iterator[tuple[str, ...]]:
        for run in self._runs:
            seen = (
                f"{datetime.fromtimestamp(run.heartbeat):%Y-%m-%d %H:%M}" if run.heartbeat else ""
            )
            # While an epoch runs people call it by its number; afterwards, by how many there were.
            epoch = str(run.epoch + (run.state in ACTIVE))
            yield (run.name, run.state, epoch, str(run.step), seen, str(run.path))


def list_runs(folder: str | Path) -> RunList:
    """The runs in a folder, or the one that it is.

    Raises:
        RunFolderError: no such folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise RunFolderError(f"{folder}: no such folder")
    places = [folder, *sorted(path for path in folder.iterdir() if path.is_dir())]
    return RunList([_look(place) for place in places if RunFolder(place).is_run])


def _look(path: Path) -> RunInfo:
    run = RunFolder(path)
    try:
        name = str(run.read_request().get("name", path.name))
        status = run.read_status()
        state = run.read_state()
    except RunFolderError:
        return RunInfo(path, path.name, "damaged", 0, 0, 0.0)
    if status is None:
        return RunInfo(path, name, state, 0, 0, 0.0)
    return RunInfo(path, name, state, status.epoch, status.step, status.heartbeat)
