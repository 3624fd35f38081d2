from __future__ import annotations

from xml.etree import ElementTree

import torch

from distill import Codes
from distill.codebook import NO_CODE


def test_codes_show_their_beginning_in_colours() -> None:
    indices = torch.arange(3 * 500).reshape(3, 500) % 256
    indices[2] = NO_CODE
    shown = Codes(indices, 256, 0.02, 480_000, 48_000, labels=("<b>", "x", "y"))._repr_html_()
    assert shown.count("<rect") == 2 * 64
    assert "3 levels × 500 steps of 20 ms, 10.00 s at 48000 Hz" in shown
    assert "256, 256, 0 of 256 entries in use" in shown
    assert "… and 436 more steps" in shown
    assert "1 &lt;b&gt;" in shown and "<b>" not in shown
    assert len(shown) < 20_000
    ElementTree.fromstring(f"<div>{shown}</div>")


def test_short_codes_are_shown_whole() -> None:
    shown = Codes(torch.zeros(1, 1, dtype=torch.long), 2, 0.02, 1, 48_000)._repr_html_()
    assert shown.count("<rect") == 1 and "more steps" not in shown
