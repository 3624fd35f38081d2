"""No array, place or rate brings somebody else's exception; benchmarks/odd_arrays.py tries more."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from distill.arrays import as_floats, as_int, as_place, as_rate, as_sound, as_whole_numbers
from distill.errors import ConfigError, PartError, ShapeError
from tests.families import FAMILIES
from tests.odd_arrays import small_model, tries


@pytest.mark.parametrize("name", FAMILIES)
def test_whatever_comes_the_errors_are_ours(name: str, tmp_path: Path) -> None:
    for outcome in tries(small_model(name), tmp_path, 300):
        assert outcome.foreign is None, outcome
        assert not outcome.silent, outcome


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        (44_100.0, 44_100), (np.int64(48_000), 48_000), (np.float32(8_000), 8_000),
        (Fraction(88_200, 2), 44_100), (Decimal(96_000), 96_000), (torch.tensor(100), 100),
    ],
)  # fmt: skip
def test_a_rate_may_be_any_whole_number(rate: Any, expected: int) -> None:
    assert as_rate(rate) == expected and type(as_rate(rate)) is int


@pytest.mark.parametrize(
    ("rate", "message"),
    [
        (0, "sample_rate=0: expected samples a second, above 0"),
        (-5, "sample_rate=-5: expected samples a second, above 0"),
        (float("nan"), "sample_rate=nan: expected samples a second, above 0"),
        ("44100", "sample_rate='44100': expected samples a second"),
        (None, "sample_rate=None: expected samples a second"),
        (True, "sample_rate=True: expected samples a second"),
        (44_100.5, "sample_rate=44100.5: expected samples a second"),
        (1, "sample_rate=1: expected 100 to 1536000 samples a second"),
        (10**40, r"sample_rate=1\d+\.\.\.0+: expected 100 to 1536000 samples a second"),
    ],
)
def test_what_is_no_rate_is_refused(rate: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        as_rate(rate)


@pytest.mark.parametrize("kind", ["f2", ">f4", "<f8", ">f8", "g"])
def test_floating_point_of_any_type_and_order_is_the_same_sound(kind: str) -> None:
    values = np.array([0.25, -0.5, 0.125])
    array = values.astype(kind)
    array.flags.writeable = False
    assert as_sound(array).tolist() == values.tolist()
    assert as_sound(array[::-1]).tolist() == values[::-1].tolist()
    assert array.tolist() == values.tolist()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.array([1.0, np.nan]), "waveform holds NaN or Inf at sample 1"),
        (np.array([1e300, 0.0]), "waveform holds NaN or Inf at sample 0"),
        (torch.tensor([0.0, 1e29]), r"waveform holds 1\.0e\+29 at sample 1"),
        (np.array([None, 1.0]), "waveform holds object; expected floating point"),
        (np.array(["a"]), "waveform holds <U1; expected floating point"),
        (np.ma.masked_array([0.5, 0.5], mask=[0, 1]), "waveform has masked places; fill them"),
        (torch.zeros(3, dtype=torch.complex64), "waveform holds torch.complex64; expected"),
        (torch.zeros(3, device="meta"), "waveform is a tensor without content"),
        (torch.zeros(3).to_sparse(), "expected a dense one"),
        (np.float64(0.5), "waveform is a float64; expected a tensor or an array"),
        (np.array(0.5), r"waveform \(\): expected mono"),
    ],
)
def test_what_is_no_sound_is_refused_by_name(value: Any, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        as_sound(value)


def test_places_are_whole_numbers_within() -> None:
    assert as_place(np.int8(2), "step", 3, error=PartError) == 2
    assert as_place(torch.tensor(2.0), "step", 3, error=PartError) == 2
    for wrong in (-1, 3, 1.5, "1", None, True, [1]):
        with pytest.raises(PartError, match=r"step=.*: expected 0 to 2"):
            as_place(wrong, "step", 3, error=PartError)
    assert as_int(np.array([1])) is None and as_int(1 + 0j) is None


def test_gradients_and_memory_are_left_alone() -> None:
    leaf = torch.ones(3, requires_grad=True)
    assert not as_floats(leaf, "x").requires_grad and leaf.requires_grad
    whole = np.array([1, 2], dtype=">i2")
    as_whole_numbers(whole, "x")[0] = 9
    assert whole.tolist() == [1, 2]


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
@pytest.mark.parametrize("layout", [torch.strided, torch.jagged])
def test_nested_tensors_are_refused_by_name(layout: torch.layout) -> None:
    nested = torch.nested.nested_tensor([torch.zeros(3), torch.zeros(4)], layout=layout)
    for read in (as_sound, lambda value: as_floats(value, "waveform")):
        with pytest.raises(ShapeError, match=r"waveform is a .* tensor; expected a dense one"):
            read(nested)
