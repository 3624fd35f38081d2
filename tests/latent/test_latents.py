from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings, strategies as st

from distill.errors import LatentsError, OutputExistsError
from distill.latent import Latents

VALUES = torch.randn(5, 40, generator=torch.Generator().manual_seed(0))
MAKER = "0123456789abcdef" * 4
fuzzed = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def latents(**changes: Any) -> Latents:
    fields: dict[str, Any] = {
        "values": VALUES,
        "step_seconds": 0.02,
        "samples": 12_800,
        "sample_rate": 16_000,
        "peak": 0.7,
        "made_by": MAKER,
        "model_name": "Chör",
    }
    return Latents(**{**fields, **changes})


def content(of: Latents) -> dict[str, Any]:
    return {**vars(of), "values": of.values.tolist()}


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return latents().save(tmp_path / "sound.npz")


def test_a_grid_knows_its_shape_and_length() -> None:
    one = latents()
    assert (one.dims, one.steps, one.seconds) == (5, 40, 0.8)
    assert repr(one) == "Latents(5 dimensions × 40 steps, 0.80 s at 16000 Hz)"
    assert torch.equal(one.tensor(), VALUES)


def test_nothing_can_be_changed_in_place() -> None:
    given_values = VALUES.clone()
    one = latents(values=given_values)
    given_values += 1
    one.tensor().zero_()
    assert torch.equal(one.tensor(), VALUES)
    with pytest.raises(ValueError, match="read-only"):
        one.values[0, 0] = 1
    with pytest.raises(AttributeError):
        one.peak = 1.0  # type: ignore[misc]


def test_changed_latents_are_others_of_the_same_sound() -> None:
    one = latents()
    other = one.with_values(one.values * 2)
    assert other.values.tolist() == (VALUES * 2).tolist()
    assert {**content(other), "values": 0} == {**content(one), "values": 0}
    assert torch.equal(one.tensor(), VALUES)


def test_a_file_gives_back_the_same_latents(good: Path) -> None:
    assert content(Latents.load(good)) == content(latents())
    with np.load(good, allow_pickle=False) as file:
        assert file["values"].shape == (5, 40)


def test_the_name_ends_in_npz_and_nothing_of_others_is_replaced(tmp_path: Path) -> None:
    assert latents().save(tmp_path / "sound.latent").name == "sound.latent.npz"
    theirs = tmp_path / "theirs.npz"
    theirs.write_bytes(b"theirs")
    with pytest.raises(OutputExistsError):
        latents().save(theirs)
    assert theirs.read_bytes() == b"theirs"
    with pytest.raises(LatentsError, match=r"cannot be written"):
        latents().save(tmp_path / "no" / "sound.npz")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"values": torch.zeros(3)}, r"^values \(3,\): expected \(dims, steps\)$"),
        ({"values": torch.zeros(0, 3)}, r"^values \(0, 3\): expected \(dims, steps\)$"),
        ({"values": torch.zeros(2, 3, dtype=torch.int64)}, "^values holds torch.int64; expected"),
        ({"values": torch.full((2, 3), float("nan"))}, "^values hold NaN, Inf or numbers beyond"),
        ({"values": np.full((2, 3), 1e7)}, r"^values hold NaN, Inf or numbers beyond 1e\+06$"),
        ({"values": [[0.5]]}, "^values is a list; expected a tensor or an array$"),
        ({"samples": -1}, "^-1 samples at 16000 Hz in steps of 0.02 s: expected a length of time$"),
        ({"samples": 1.5}, "^samples=1.5: expected a whole number$"),
        ({"sample_rate": 0}, "samples at 0 Hz in steps of"),
        ({"step_seconds": 0.0}, "in steps of 0.0 s"),
        ({"step_seconds": "long"}, "^step_seconds='long': expected a number$"),
        ({"peak": -0.1}, r"^peak=-0.1: expected a number from 0 to 1e\+10$"),
        ({"made_by": "me"}, "^made_by='me': expected the digest of a model$"),
        ({"model_name": 3}, "^model_name=3: expected a text$"),
    ],
)
def test_what_are_no_latents_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(LatentsError, match=message):
        latents(**changes)


def test_a_missing_file_and_one_of_codes_are_named(tmp_path: Path) -> None:
    with pytest.raises(LatentsError, match=r"no such file$"):
        Latents.load(tmp_path / "none.npz")
    np.savez(tmp_path / "codes.npz", format="distill_codes")
    with pytest.raises(LatentsError, match=r"^codes\.npz: not a readable file of latents"):
        Latents.load(tmp_path / "codes.npz")
    fields = {**content(latents()), "values": VALUES.numpy(), "format": "others"}
    np.savez(tmp_path / "others.npz", **fields)
    with pytest.raises(LatentsError, match=r"^others\.npz: not a file of distill latents$"):
        Latents.load(tmp_path / "others.npz")


@fuzzed
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_cut_file_is_refused(share: float, good: Path) -> None:
    data = good.read_bytes()
    cut = good.with_name("cut.npz")
    cut.write_bytes(data[: int(share * len(data))])
    with pytest.raises(LatentsError, match=r"^cut\.npz: not a readable file of latents \(.+\)$"):
        Latents.load(cut)


@fuzzed
@given(place=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255))
def test_an_altered_byte_is_noticed_or_harmless(place: float, byte: int, good: Path) -> None:
    data = bytearray(good.read_bytes())
    data[int(place * len(data))] = byte
    altered = good.with_name("altered.npz")
    altered.write_bytes(data)
    try:
        assert content(Latents.load(altered)) == content(latents())
    except LatentsError as error:
        assert str(error).startswith("altered.npz: ")
