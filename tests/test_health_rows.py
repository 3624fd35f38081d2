"""One place says how well a bottleneck is used; all tables and the chart read it."""

from __future__ import annotations

import re

import pytest
import torch
from rich.console import Console

from distill.cli.info import health_lines
from distill.cli.live import TrainingDisplay
from distill.codebook.health import LevelHealth, codebook_health
from distill.health_rows import columns, rows, verdict_of
from distill.latent.health import LatentHealth
from distill.models.use.report import health_table
from distill.training.watch.event_lines import VQStepMetrics


@pytest.fixture
def level() -> LevelHealth:
    """Of 5 codes in 4 of 16 entries: a quarter of all, but nearly all that 5 codes could show."""
    counts = torch.zeros(1, 16, dtype=torch.int64)
    counts[0, :4] = torch.tensor([2, 1, 1, 1])
    return codebook_health(counts, [0.5])[0]


def test_used_is_relative_to_what_the_codes_could_show(level: LevelHealth) -> None:
    possible = 1 - (15 / 16) ** 5
    assert level.utilization == 0.25 and level.used == pytest.approx(0.25 / possible)
    assert level.verdict == "healthy" == verdict_of(level.used)
    assert verdict_of(level.utilization) == "thin"


def test_a_row_has_a_cell_for_each_heading(level: LevelHealth) -> None:
    assert columns([level]) == ("level", "used", "perplexity", "dead", "verdict")
    assert rows([level]) == [("1 Structure", "91%", "3.8 of 16", "12", "healthy")]
    assert columns([level], training=True)[-2:] == ("replaced/step", "verdict")
    assert rows([level], training=True)[0][-2:] == ("0.50", "healthy")
    assert columns([]) == () and rows([]) == []


def test_latents_have_a_table_too() -> None:
    latent = LatentHealth(units=8, active_units=2, kl=(0.5,) * 8, total_kl=4.0)
    assert columns([latent]) == ("bottleneck", "used", "active", "KL, nats/step", "verdict")
    assert rows([latent]) == [("latents", "25%", "2 of 8", "4.00", "thin")]


def test_every_table_shows_the_same_share(level: LevelHealth) -> None:
    console = Console(width=100)
    event = VQStepMetrics(0, 0, 1.0, 1.0, 0.0, 1e-3, 1.0, 0.1, 0.1, (level,))
    display = TrainingDisplay([event], console=console)
    with console.capture() as shown:
        console.print(display._picture())
    for table in (str(health_table([level])), "\n".join(health_lines([level])), shown.get()):
        assert re.findall(r"\d+%", table)[-1] == "91%"
