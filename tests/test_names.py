from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from distill.names import path_from_text, path_to_text, printable

NAMES = st.binary(min_size=1, max_size=40).filter(lambda name: b"\0" not in name)


@given(NAMES)
def test_any_name_can_be_shown(name: bytes) -> None:
    shown = printable(name)
    assert shown.encode("utf-8").decode("utf-8") == shown
    assert len(shown.splitlines()) <= 1
    assert printable(shown) == shown


@given(NAMES)
def test_any_name_survives_as_text(name: bytes) -> None:
    text = path_to_text(name)
    assert text.encode("utf-8").decode("utf-8") == text
    assert os.fsencode(path_from_text(text)) == name


@given(st.text(st.characters(exclude_categories=("Cs",)), min_size=1))
def test_a_name_of_utf_8_is_its_own_text(name: str) -> None:
    if not name.startswith("bytes:"):
        assert path_to_text(name) == name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("take 3 – größe 音 👩‍🚀.wav", "take 3 – größe 音 👩‍🚀.wav"),
        (b"Gel\xe4ut.wav", r"Gel\xe4ut.wav"),
        (Path("two\nlines.wav"), r"two\nlines.wav"),
        ("\x1b[31mred.wav", r"\x1b[31mred.wav"),
        ("evil\u202evaw.exe", r"evil\u202evaw.exe"),
        ("half\ud800pair.wav", r"half\ud800pair.wav"),
    ],
)
def test_what_steers_a_terminal_is_escaped(name: str | bytes | Path, shown: str) -> None:
    assert printable(name) == shown


def test_a_name_that_looks_like_quoted_bytes_is_quoted_too() -> None:
    assert path_from_text(path_to_text("bytes:%41.wav")) == "bytes:%41.wav"
