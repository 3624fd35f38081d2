"""Of one model all places say the same: how many codes, what is used, what is dead, which word."""

from __future__ import annotations

import pytest

from distill import build_atlas, read_model_info
from distill.analysis.library.library_model import shelved
from distill.audio.corpus import AudioCorpus
from distill.cli.info import describe
from distill.cli.training import _report as closing_lines
from distill.codebook.health import LevelHealth
from distill.health_rows import entropies, rows
from distill.training import TrainingResult
from distill_widgets import ModelCard, TrainingDashboard, report


@pytest.fixture(scope="module")
def health(trained: TrainingResult) -> tuple[LevelHealth, ...]:
    """Of the epoch whose weights were kept."""
    found: tuple[LevelHealth, ...] = trained.history.best.health
    return found


def test_an_epoch_shows_the_codes_of_training_and_of_validation(
    health: tuple[LevelHealth, ...], trained: TrainingResult, corpus: AudioCorpus
) -> None:
    config = trained.load().config
    crop = config.segment_frames // config.stride
    for level in health:
        assert level.over == "training" and level.suffices
        assert level.samples == 5 * config.batch_size * crop
        assert 0 < level.other_samples < level.samples
    counts = {level.other_samples for level in health}
    judged = corpus.split(config.validation_fraction).validation
    hop = config.spectrogram.hop_length
    steps = [-(-(1 + len(sound) // hop) // config.stride) for sound in judged]
    assert len(counts) == 1 and min(counts) >= sum(steps)


def test_every_place_shows_the_rows_of_the_epoch_that_was_kept(
    health: tuple[LevelHealth, ...], trained: TrainingResult
) -> None:
    info = read_model_info(trained.model_path)
    assert info.codebook_health == health == trained.load().codebook_health
    dashboard, card = TrainingDashboard(trained.model_path.parent), ModelCard(trained.model_path)
    places = {
        "info": describe(trained.model_path, as_json=False),
        "train": closing_lines(trained),
        "model": trained.load()._repr_html_(),
        "report": repr(report(trained.model_path.parent)),
        "report as HTML": str(report(trained.model_path.parent).outputs()[0]["text/html"]),
        "dashboard": dashboard.health.value,
        "card": "".join(getattr(part, "value", "") for part in card.children),
    }
    drawn = dashboard.levels.chart.figure()["data"]
    dashboard.close()
    card.close()
    for name, shown in places.items():
        for row in rows(health):
            assert [cell for cell in row if cell not in shown] == [], name
    best = trained.best_epoch
    for level in health:
        assert drawn[level.level]["y"][best] == pytest.approx(level.used, abs=1e-3)
        assert drawn[3 + level.level]["y"][best] == pytest.approx(level.entropy_share, abs=1e-3)


def test_a_library_has_the_word_of_the_least_used_level(
    health: tuple[LevelHealth, ...], trained: TrainingResult
) -> None:
    shown = shelved(read_model_info(trained.model_path), trained.model_path.parent)
    least = min(health, key=lambda level: level.used)
    assert (shown.health, shown.verdict) == (least.used, least.verdict)
    assert shown.entropies == entropies(health)


def test_an_atlas_over_what_it_learned_from_says_the_same(
    health: tuple[LevelHealth, ...], trained: TrainingResult, corpus: AudioCorpus
) -> None:
    """It counts other codes, whole sounds instead of crops: the word is the same."""
    atlas = build_atlas(trained.load(), corpus)
    for level, over_corpus in zip(health, atlas.health, strict=True):
        assert over_corpus.suffices and over_corpus.verdict == level.verdict
        assert over_corpus.used == pytest.approx(level.used, abs=0.2)
        assert over_corpus.entropy_share == pytest.approx(level.entropy_share, abs=0.2)
    assert all(cell in repr(atlas) for row in rows(atlas.health) for cell in row)
