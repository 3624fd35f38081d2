from __future__ import annotations

import io

from rich.console import Console

from distill import VQStepMetrics, WarningEvent
from distill.cli.live import TrainingDisplay
from distill.codebook import LevelHealth


def step(number: int) -> VQStepMetrics:
    health = (LevelHealth(0, "Structure", 64, 900, 0.5, 0.5, 30.0, 4.9, 32, 0.4),)
    return VQStepMetrics(0, number, 0.5, 0.4, 0.1, 1e-3, 1.0, 0.25, 4.0, health)


def test_a_terminal_shows_a_bar_and_a_row_a_level() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    with TrainingDisplay(console=console) as display:
        display.update(step(11))
        display.update(WarningEvent(0, 12, "utilization", "level 1 is thin", 0))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    for part in ("epoch 1", "step 12", "25%", "1 Structure", "50%", "4.9 of 6 bits", "healthy"):
        assert part in shown
    assert "level 1 is thin" in shown


def test_quiet_says_nothing() -> None:
    console = Console(file=io.StringIO(), force_terminal=True)
    with TrainingDisplay(quiet=True, console=console) as display:
        display.update(step(1))
    assert console.file.getvalue() == ""  # type: ignore[attr-defined]
