"""Files that the first versions wrote, of every family: altered, they are refused by name."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Callable, Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from distill import edit_metadata, load_model, load_model_v2, read_model_info
from distill.errors import CorruptModelError, ModelFileError, ModelTypeError
from distill.family import family, known_families
from distill.models.file.container import read_container, write_container
from tests.families import FAMILIES

DATA = Path(__file__).parents[1] / "data"
FIRST = {
    "vqvae": DATA / "first_version" / "finished" / "model.distill",
    "vae": DATA / "first_vae" / "stopped" / "model.distill",
}
READERS: list[Callable[[Path], Any]] = [read_model_info, load_model, edit_metadata]


def with_texts(path: Path, of: str, **texts: str) -> Path:
    """A first file with other texts and a checksum that fits."""
    header, tensors = read_container(FIRST[of])
    return write_container(path, tensors, {**header.texts, **texts})


@contextlib.contextmanager
def written(data: bytes) -> Iterator[Path]:
    """A file for one example: fixtures are made once for all of them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "flipped.distill"
        path.write_bytes(data)
        yield path


def test_there_is_one_of_every_family() -> None:
    assert set(FIRST) == set(FAMILIES)
    for name, path in FIRST.items():
        assert read_model_info(path).family == name


@pytest.mark.parametrize(("own", "other"), list(permutations(FAMILIES, 2)))
def test_the_settings_of_another_family_beside_its_own(
    own: str, other: str, tmp_path: Path
) -> None:
    section = family(other).config_section
    settings = read_container(FIRST[other])[0].texts[section]
    path = with_texts(tmp_path / "m.distill", own, **{section: settings})
    for read in READERS:
        with pytest.raises(CorruptModelError) as caught:
            read(path)
        assert str(caught.value) == (
            f"m.distill: it says {own!r} and has {section!r}, the settings of another family, "
            "beside its own: one of them was put in by another program; get it again from where "
            "it was made"
        )


@pytest.mark.parametrize(("own", "other"), list(permutations(FAMILIES, 2)))
def test_the_settings_of_another_family_as_its_own(own: str, other: str, tmp_path: Path) -> None:
    foreign = read_container(FIRST[other])[0].texts[family(other).config_section]
    path = with_texts(tmp_path / "m.distill", own, **{family(own).config_section: foreign})
    title = family(other).title
    for read in READERS:
        with pytest.raises(CorruptModelError, match="its header is altered") as caught:
            read(path)
        section = family(own).config_section
        assert f"({section}: holds the settings of {other!r} ({title}), an" in str(caught.value)


@pytest.mark.parametrize(("own", "other"), list(permutations(FAMILIES, 2)))
def test_a_file_that_says_it_is_of_another_family(own: str, other: str, tmp_path: Path) -> None:
    kind = family(other)
    path = with_texts(tmp_path / "m.distill", own, model_type=other, version=str(kind.file_version))
    for read in READERS:
        with pytest.raises(CorruptModelError) as caught:
            read(path)
        assert str(caught.value) == (
            f"m.distill: its section {kind.config_section!r} is missing; it says {other!r} and has "
            f"{family(own).config_section!r}, the settings of another family"
        )


@pytest.mark.parametrize("own", FAMILIES)
def test_a_family_that_nobody_knows(own: str, tmp_path: Path) -> None:
    path = with_texts(tmp_path / "m.distill", own, model_type="vaf")
    said = rf"^m\.distill: holds a model of type 'vaf': expected {' or '.join(known_families())};"
    for read in (*READERS, load_model_v2):
        with pytest.raises(ModelTypeError, match=said):
            read(path)


@pytest.mark.parametrize("own", FAMILIES)
def test_settings_of_a_family_to_come_stay_in_the_file(own: str, tmp_path: Path) -> None:
    path = with_texts(tmp_path / "m.distill", own, later_config=json.dumps({"depth": 3}))
    model = load_model(path)
    again = read_model_info(model.save(tmp_path / "again.distill"))
    assert again.extra == {"later_config": '{"depth": 3}'}


@pytest.mark.slow
@pytest.mark.parametrize("own", FAMILIES)
@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_any_flipped_bit_is_noticed(own: str, data: st.DataObject) -> None:
    good = FIRST[own].read_bytes()
    header_bits = 8 * (8 + int.from_bytes(good[:8], "little"))
    places = st.integers(0, header_bits - 1) | st.integers(header_bits, 8 * len(good) - 1)
    place = data.draw(places)
    flipped = bytearray(good)
    flipped[place // 8] ^= 1 << place % 8
    with written(flipped) as path, pytest.raises(ModelFileError, match=r"flipped\.distill"):
        load_model(path)
