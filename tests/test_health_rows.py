"""One place says how well a bottleneck is used; all tables and the chart read it."""

from __future__ import annotations

import re

import pytest
import torch
from rich.console import Console

from distill.cli.info import health_lines
from distill.cli.live import TrainingDisplay
from distill.codebook.health import LevelHealth, codebook_health, health_of_both
from distill.health_rows import columns, entropies, rows, verdict_of, worst
from distill.latent.health import LatentHealth
from distill.models.use.report import health_table
from distill.training.watch.event_lines import VQStepMetrics


@pytest.fixture
def level() -> LevelHealth:
    """Of 5 codes in 4 of 16 entries: a quarter of all, but nearly all that 5 codes could show."""
    counts = torch.zeros(1, 16, dtype=torch.int64)
    counts[0, :4] = torch.tensor([2, 1, 1, 1])
    return codebook_health(counts, [0.5])[0]


def test_a_few_codes_are_no_verdict_on_what_they_did_not_choose(level: LevelHealth) -> None:
    assert level.used == level.utilization == 0.25
    assert verdict_of(level.used) == "thin" and level.verdict == "too few codes"


def test_a_row_has_a_cell_for_each_heading(level: LevelHealth) -> None:
    assert columns([level]) == ("level", "codes", "used", "at most", "entropy", "dead", "verdict")
    assert rows([level]) == [
        ("1 Structure", "5", "25%", "28%", "1.9 of 4 bits, 48%", "needs 80 codes", "too few codes")
    ]
    assert columns([level], training=True)[-2:] == ("replaced/step", "verdict")
    assert rows([level], training=True)[0][-2:] == ("0.50", "too few codes")
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
        assert re.findall(r"\d+%", table)[-3:] == ["25%", "28%", "48%"]


def test_what_is_measured_beside_has_a_row_without_a_verdict() -> None:
    training, validation = torch.full((1, 4), 10), torch.tensor([[5, 0, 0, 0]])
    both = health_of_both(validation, training, [0.0])
    assert [row[1] for row in rows(both)] == ["40 training", "5 validation"]
    assert [row[-1] for row in rows(both)] == ["healthy", ""]
    assert len({len(row) for row in [columns(both), *rows(both)]}) == 1


def test_entropies_of_all_levels_fit_into_a_cell() -> None:
    both = health_of_both(torch.zeros(2, 4), torch.tensor([[10] * 4, [20, 20, 0, 0]]), [0.0] * 2)
    assert entropies(both) == "100% 50%, 40 training codes"
    assert entropies([]) == "" == entropies([LatentHealth(1, 1, (0.5,), 0.5)])
    assert worst(both) is both[1] and worst([]) is None
