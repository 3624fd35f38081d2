from __future__ import annotations

import pytest

from distill.codebook.labels import level_labels


@pytest.mark.parametrize(
    ("levels", "labels"),
    [
        (1, ("Structure",)),
        (2, ("Structure", "Detail")),
        (3, ("Structure", "Timbre", "Detail")),
        (4, ("Structure", "Timbre", "Texture", "Detail")),
        (6, ("Structure", "Timbre", "Texture", "Detail", "Detail 2", "Detail 3")),
    ],
)
def test_levels_have_the_names_people_use(levels: int, labels: tuple[str, ...]) -> None:
    assert level_labels(levels) == labels


@pytest.mark.parametrize("levels", range(1, 33))
def test_every_level_has_a_name_of_its_own(levels: int) -> None:
    assert len(set(level_labels(levels))) == len(level_labels(levels)) == levels
