"""What a terminal shows while a model learns."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from distill.health_rows import COLLAPSING, HEALTHY, THIN, Health, columns, rows
from distill.training.watch.event_lines import EPOCHS, Event, WarningEvent
from distill.training.watch.history import MetricsHistory
from distill.words import duration

_STYLES = {HEALTHY: "green", THIN: "yellow", COLLAPSING: "red"}


class TrainingDisplay:
    """A bar and a row a level on a terminal, a line an epoch elsewhere, nothing where quiet."""

    def __init__(
        self,
        past: Sequence[Event] = (),
        *,
        quiet: bool = False,
        console: Console | None = None,
    ) -> None:
        self._console = console or Console(stderr=True)
        self._quiet = quiet
        self._history = MetricsHistory()
        for event in past:
            self._history.update(event)
        self._history.outcome = None  # of an earlier session
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeRemainingColumn(),
            console=self._console,
        )
        self._task = self._progress.add_task("starting", total=1.0)
        self._live: Live | None = None

    def __enter__(self) -> TrainingDisplay:
        if not self._quiet and self._console.is_terminal:
            self._live = Live(
                self._picture(), console=self._console, refresh_per_second=4, transient=True
            )
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def update(self, event: Event) -> None:
        """Takes the next event of the run."""
        self._history.update(event)
        if self._quiet:
            return
        if self._live is not None:
            self._progress.update(
                self._task, completed=self._history.progress, description=self._description()
            )
            self._live.update(self._picture())
        if isinstance(event, WarningEvent):
            # Names of files stand in it, and may look like rich's markup.
            self._console.print(f"[yellow]warning[/]: {escape(event.message)}", highlight=False)
        elif self._live is None and isinstance(event, EPOCHS):
            rest = self._history.eta_s
            left = f", {duration(rest)} left" if rest else ""
            plateau = f", {said}" if (said := self._plateau()) else ""
            self._console.print(f"{self._description()}{left}{plateau}", highlight=False)

    def _description(self) -> str:
        history, last = self._history, self._history.last_step
        if last is None:
            return "starting"
        words = [f"epoch {last.epoch + 1}", f"step {last.step + 1}", f"loss {last.loss:.3f}"]
        if history.epochs:
            words.append(f"validation {history.epochs[-1].val_loss:.3f}")
        if last.elapsed_s:
            words.append(f"{history.step_count / last.elapsed_s:.1f} steps/s")
        return "  ".join(words)

    def _plateau(self) -> str:
        plateau = self._history.plateau
        return plateau.while_running if plateau else ""

    def _picture(self) -> Group:
        plateau = [Text(said)] if (said := self._plateau()) else []
        return Group(self._progress, *plateau, self._health_table(self._health()))

    def _health(self) -> tuple[Health, ...]:
        return self._history.last_health.health if self._history.last_health else ()

    def _health_table(self, health: tuple[Health, ...]) -> Table:
        table = Table(box=None, header_style="dim")
        for number, name in enumerate(columns(health, training=True)):
            table.add_column(name, justify="right" if number else "left")
        for *cells, verdict in rows(health, training=True):
            table.add_row(*map(escape, cells), Text(verdict, style=_STYLES.get(verdict, "")))
        return table
