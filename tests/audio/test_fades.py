from __future__ import annotations

import numpy as np
import pytest

from distill.audio.fades import FADE_S, faded

RATE = 8000
FADE = round(FADE_S * RATE)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("begin", "end"), [(True, True), (True, False), (False, True)])
def test_only_the_ends_that_are_named_come_from_silence(dtype, begin, end):
    sound = np.ones(4 * FADE, dtype)
    made = faded(sound, RATE, begin=begin, end=end)
    assert (made[0], made[-1]) == (0 if begin else 1, 0 if end else 1)
    assert np.array_equal(made[FADE:-FADE], sound[FADE:-FADE])
    assert made.dtype == dtype
    assert np.all(sound == 1), "what is given stays as it is"


def test_without_an_end_nothing_changes():
    sound = np.ones(4 * FADE, np.float32)
    assert np.array_equal(faded(sound, RATE, begin=False, end=False), sound)


@pytest.mark.parametrize("length", [0, 1, 2, 3, FADE + 1, 2 * FADE])
def test_a_short_sound_keeps_its_middle(length):
    sound = np.ones(length, np.float32)
    made = faded(sound, RATE)
    assert made.shape == sound.shape
    assert np.array_equal(made, made[::-1]), "the fades do not lie over each other"
    if length > 2:
        assert made.max() == 1 and made[0] == 0
