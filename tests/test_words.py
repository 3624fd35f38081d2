from __future__ import annotations

import pytest

from distill.words import duration, why_ended


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 ms"),
        (0.0506, "51 ms"),
        (0.9996, "1.0 s"),
        (59.94, "59.9 s"),
        (59.97, "1 min 0 s"),
        (119.7, "2 min 0 s"),
        (3599.4, "59 min 59 s"),
        (3599.7, "1 h 0 min"),
        (90_000, "25 h 0 min"),
    ],
)
def test_a_duration_never_shows_60_of_anything(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize("reason", ["max_epochs", "max_steps", "max_seconds", "stopped"])
def test_every_end_of_a_training_has_words(reason: str) -> None:
    assert why_ended(reason) != reason


def test_an_end_that_a_later_version_knows_is_shown_as_it_is() -> None:
    assert why_ended("plateau") == "plateau"
