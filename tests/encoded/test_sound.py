"""What is the same for codes, latents and a kind of somebody's own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from distill.checked import ArraySpec
from distill.codebook.codes import Codes
from distill.encoded.file import EncodedFile
from distill.encoded.sound import EncodedSound
from distill.errors import ConfigError, DistillError
from distill.latent.latents import Latents

DATA = Path(__file__).parents[1] / "data"


@dataclass(frozen=True, eq=False)
class Words(EncodedSound):
    """A family's own, as small as one can be."""

    file = EncodedFile("words", ConfigError, {"words": ArraySpec(kinds="U", ndim=1, most=1000)})

    words: tuple[str, ...]
    step_seconds: float = 0.5
    samples: int = 1000
    sample_rate: int = 500
    peak: float = 1.0
    made_by: str = ""
    model_name: str = ""

    def __post_init__(self) -> None:
        self._check_sound()

    @property
    def steps(self) -> int:
        return len(self.words)


MAKE: dict[type[EncodedSound], Any] = {
    Codes: lambda **more: Codes(np.zeros((2, 3), int), 4, **{**SOUND, **more}),
    Latents: lambda **more: Latents(np.zeros((2, 3), np.float32), **{**SOUND, **more}),
    Words: lambda **more: Words(("a", "bb", "ccc"), **{**SOUND, **more}),
}
SOUND: dict[str, Any] = {"step_seconds": 0.5, "samples": 1000, "sample_rate": 500}
KINDS = pytest.mark.parametrize("kind", MAKE, ids=lambda kind: kind.__name__)


@KINDS
def test_a_file_gives_back_every_field(kind: type[EncodedSound], tmp_path: Path) -> None:
    one = MAKE[kind](peak=0.25, made_by="0123456789abcdef" * 4, model_name="Chör")
    again = kind.load(one.save(tmp_path / "one"))
    assert type(again) is kind and (again.steps, again.seconds) == (3, 2.0)
    for name, value in vars(one).items():
        assert np.array_equal(value, vars(again)[name]), name


@KINDS
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"samples": 0.5}, "samples=0.5: expected a whole number"),
        ({"samples": -1}, "-1 samples at 500 Hz in steps of 0.5 s: expected a length of time"),
        ({"step_seconds": None}, "step_seconds=None: expected a number"),
        ({"peak": -1.0}, r"peak=-1\.0: expected a number from 0 to 1e\+10"),
        ({"made_by": "0" * 63}, "made_by='0{12}.*': expected the digest of a model"),
        ({"model_name": None}, "model_name=None: expected a text"),
    ],
)
def test_a_sound_that_cannot_be_is_refused_in_the_words_of_its_kind(
    kind: type[EncodedSound], changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(kind.file.error, match=f"^{message}$"):
        MAKE[kind](**changes)


@KINDS
@pytest.mark.parametrize("other", MAKE, ids=lambda kind: kind.__name__)
def test_a_file_of_another_kind_is_refused(
    kind: type[EncodedSound], other: type[EncodedSound], tmp_path: Path
) -> None:
    path = MAKE[other]().save(tmp_path / "one.npz")
    if kind is other:
        assert isinstance(kind.load(path), kind)
    else:
        with pytest.raises(
            kind.file.error, match=rf"^one\.npz: not a readable file of {_of(kind)} "
        ):
            kind.load(path)


def _of(kind: type[EncodedSound]) -> str:
    return kind.file.called


@settings(deadline=None)
@given(samples=st.integers(0, 2**53), rate=st.integers(1, 10**6), step=st.floats(1e-6, 1e3))
def test_any_length_of_time_is_taken(samples: int, rate: int, step: float) -> None:
    for make in MAKE.values():
        one = make(samples=samples, sample_rate=rate, step_seconds=step)
        assert one.seconds == samples / rate and one.step_seconds == step


@pytest.mark.parametrize(
    ("kind", "file"),
    [(Codes, "first_version/codes.npz"), (Latents, "first_vae/latents.npz")],
)
def test_a_file_saved_again_holds_the_same_arrays(
    kind: type[EncodedSound], file: str, tmp_path: Path
) -> None:
    again = kind.load(DATA / file).save(tmp_path / "again.npz")
    with np.load(DATA / file) as before, np.load(again) as after:
        for name in before.files:
            assert before[name].dtype == after[name].dtype, name
            assert np.array_equal(before[name], after[name]), name


def test_a_value_that_no_sound_has_is_named_with_its_file(tmp_path: Path) -> None:
    path = MAKE[Words]().save(tmp_path / "one.npz")
    with np.load(path) as found:
        np.savez(path, **{**found, "peak": np.float64(-2)})
    with pytest.raises(DistillError, match=r"^one\.npz: peak=-2\.0: expected a number from 0"):
        Words.load(path)
