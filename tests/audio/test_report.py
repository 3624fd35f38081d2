from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest
import torch

from distill.audio.corpus import AudioCorpus, AudioFile, Refusal
from distill.audio.report import nothing_usable


def _corpus(refusals: int = 0, reason: str = "x.wav: why") -> AudioCorpus:
    files = (
        AudioFile(Path("a.wav"), "a", 0.06, 44_100, 1, 1.0),
        AudioFile(Path("b.wav"), "b", 61.0, 44_100, 2, 1.0),
        AudioFile(Path("c.wav"), "c", 2.0, 8_000, 8, 1.0),
    )
    refused = tuple(Refusal(Path(f"{n}"), f"{n}: {reason}") for n in range(refusals))
    return AudioCorpus(files, tuple(torch.zeros(1) for _ in files), refused, 48_000)


def test_the_text_says_what_is_used() -> None:
    assert repr(_corpus()) == (
        "AudioCorpus: 3 files, 1 min 3 s\n"
        "  lengths   60 ms to 1 min 1 s\n"
        "  rates     44.1 kHz (2), 8 kHz (1); used at 48 kHz\n"
        "  channels  mono (1), stereo (1), 8 channels (1)"
    )


def test_the_text_says_what_is_refused_and_why() -> None:
    lines = repr(_corpus(refusals=2)).splitlines()
    assert lines[-3:] == ["  refused   2 files", "    0: x.wav: why", "    1: x.wav: why"]


@pytest.mark.parametrize(("refusals", "listed", "more"), [(20, 20, None), (23, 20, "… and 3 more")])
def test_a_long_list_is_cut_and_counted(refusals: int, listed: int, more: str | None) -> None:
    lines = repr(_corpus(refusals)).splitlines()
    assert sum(line.endswith("why") for line in lines) == listed
    assert (lines[-1].strip() == more) == (more is not None)


class _Tree(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.cells: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.cells.append((self.open[-1], data))


def test_the_notebook_gets_a_table_and_a_list() -> None:
    tree = _Tree()
    tree.feed(_corpus(refusals=21)._repr_html_())
    assert tree.open == []
    assert tree.cells[:4] == [("th", "files"), ("td", "3"), ("th", "sound"), ("td", "1 min 3 s")]
    assert [text for tag, text in tree.cells if tag == "li"][-2:] == [
        "19: x.wav: why",
        "… and 1 more",
    ]


def test_without_refusals_there_is_no_list() -> None:
    assert "<ul>" not in _corpus()._repr_html_()


def test_nothing_usable_lists_up_to_twenty_reasons() -> None:
    message = nothing_usable("here", _corpus(refusals=30).refusals)
    lines = message.splitlines()
    assert lines[:2] == ["here: none of 30 files is usable:", "    0: x.wav: why"]
    assert (len(lines), lines[-1]) == (22, "    … and 10 more")


def test_nothing_found_says_what_was_expected() -> None:
    assert nothing_usable("here", []) == (
        "here: no files there; expected recordings (.wav, .flac, .mp3 …)"
    )
