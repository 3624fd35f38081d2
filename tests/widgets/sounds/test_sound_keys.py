from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from distill_widgets.sounds.sound_keys import SoundKey, Source, sound_key

from ..node_page import from_page

MADE = {  # what the page makes, and what the kernel reads in it
    "it.cellKey(2, 30)": SoundKey("cell", (2, 30)),
    "it.columnKey(7)": SoundKey("moment", (7,)),
    "it.partKey(it.ORIGINAL, 0)": SoundKey("part", (0,), Source("original")),
    "it.partKey(it.aloneSource(0), 4)": SoundKey("part", (4,), Source("alone", 0)),
    "it.partKey(it.firstSource(3), 1)": SoundKey("part", (1,), Source("first", 3)),
    "it.entryKey(0, 9)": SoundKey("entry", (0, 9)),
    "it.momentKey(1, 9, 2)": SoundKey("moment", (1, 9, 2)),
}


def test_the_kernel_reads_what_the_page_makes():
    made = from_page("sounds/sound_keys.js", *MADE)
    assert [sound_key(key) for key in made] == list(MADE.values())


@pytest.mark.parametrize(
    "text",
    ["", "cell", "cell/1", "cell/1/2/3", "cell/-1/2", "cell/1/²", "cell/1/" + "9" * 5000, "moment",
     "moment/1/2", "part", "part/original", "part/alone/1", "part/alone-x/1", "part/other-1/1",
     "part/first-/1", "entry/1", "constructor/1/2"],
)  # fmt: skip
def test_what_is_no_key_is_none(text):
    assert sound_key(text) is None


@given(st.text(max_size=40) | st.from_regex(r"(cell|part|moment|entry)(/[\w-]*)*", fullmatch=True))
def test_whatever_comes_is_a_key_or_none(text):
    found = sound_key(text)
    assert found is None or all(number >= 0 for number in found.numbers)
