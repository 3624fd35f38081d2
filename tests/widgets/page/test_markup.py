from __future__ import annotations

import torch

from distill import VQEpochMetrics, VQMetricsHistory
from distill.codebook.health import codebook_health, health_of_both
from distill.training.watch.event_lines import (
    CheckpointEvent,
    PreviewEvent,
    ResumeEvent,
    TrainingCompleteEvent,
    WarningEvent,
)
from distill_widgets.page import markup


def health(*used: int):
    counts = torch.zeros(len(used), 64, dtype=torch.int64)
    for level, entries in enumerate(used):
        counts[level, :entries] = 1000
    return codebook_health(counts, [0.25] * len(used))


def test_a_row_a_level_with_its_word():
    table = markup.health_table(health(64, 16, 3))
    assert table.count("<tr>") == 4
    for word in (
        "Structure",
        "Timbre",
        "Detail",
        "healthy",
        "thin",
        "collapsing",
        "6.0 of 6 bits, 100%",
        "61 of 64",
    ):
        assert word in table
    assert "now</span>Level 2 (Timbre) uses 25% of its entries" in table


def test_what_is_measured_beside_is_a_fainter_row():
    both = health_of_both(torch.full((2, 4), 1), torch.full((2, 4), 9), [0.0, 0.0])
    table = markup.health_table(both)
    assert (table.count("<tr>"), table.count('<tr class="distill-quiet">')) == (3, 2)
    assert "36 training" in table and "4 validation" in table


def test_a_run_shows_its_newest_epoch_and_at_its_end_the_one_that_was_kept():
    history = VQMetricsHistory()
    for number, is_best in enumerate((True, False)):
        losses = (1.0,) * 6
        history.update(
            VQEpochMetrics(number, number, *losses, is_best, 0.1, 0.1, health=health(64 - number))
        )
    assert "Codebooks of epoch 2</p>" in markup.run_health(history, "utilization", "Codebooks")
    history.update(TrainingCompleteEvent("max_steps", "model.distill", 0, 1.0, 2, 2, 1.0))
    ended = markup.run_health(history, "utilization", "Codebooks")
    assert "Codebooks of epoch 1, whose weights are kept" in ended and "0 of 64" in ended


def test_too_few_codes_are_a_quiet_word():
    few = codebook_health(torch.tensor([[1] + [0] * 63]))
    assert 'class="distill-word distill-quiet">too few codes<' in markup.health_table(few)


def test_advice_says_since_when_and_is_not_said_twice():
    warnings = [
        WarningEvent(4, 10, "utilization", "level 2 (Timbre) uses 20%", level=1),
        WarningEvent(6, 10, "overfitting", "validation <rises>"),
        WarningEvent(7, 10, "utilization", "level 1 (Structure) used 20%", level=0),
    ]
    levels = health(64, 16, 64)
    assert "since epoch 5</span>Level 2 (Timbre)" in markup.health_table(levels, warnings)
    said = markup.warning_list(warnings, levels)
    assert "Timbre" not in said
    assert "epoch 7</span>Validation &lt;rises&gt;" in said
    assert said.index("epoch 8") < said.index("epoch 7")


def test_before_the_first_epoch():
    assert "measured after each epoch" in markup.health_table(())
    assert "<li" not in markup.warning_list(())


def test_the_log_shows_everything_newest_first():
    history = VQMetricsHistory()
    history.update(CheckpointEvent(0, 10, "c", True))
    history.update(PreviewEvent(0, 20, "p", ()))
    history.update(ResumeEvent(0, 15, 3))
    history.update(TrainingCompleteEvent("stopped", "model.distill", 0, 0.5, 1, 1200, 61.0))
    log = markup.log_list(history)
    order = [
        "ended after 1 min 1 s, somebody stopped it",
        "0 sounds",
        "for the 2nd time",
        "the best",
    ]
    places = [log.index(text) for text in order]
    assert places == sorted(places)
    assert "step 1,200" in log


def test_ordinals():
    words = [markup._ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 112)]
    assert words == ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "112th"]
