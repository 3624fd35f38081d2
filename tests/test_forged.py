from __future__ import annotations

import shutil
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tests import forged_verdicts, forging

DATA = Path(__file__).parent / "data" / "first_version"
FINE = {forged_verdicts.OURS, forged_verdicts.RIGHT}
calm = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(DATA / "finished" / "model.distill", tmp_path / "good.distill")
    return tmp_path


def test_what_is_signed_again_is_the_same_model(folder: Path) -> None:
    path = folder / "odd.distill"
    path.write_bytes(forging.signed(*forging.parts((folder / "good.distill").read_bytes())))
    assert forged_verdicts.of_model(path) == forged_verdicts.RIGHT
    assert forged_verdicts.of_library(folder, path) == forged_verdicts.RIGHT


@pytest.mark.parametrize("kind", forging.MODELS)
@calm
@given(rng=st.randoms(use_true_random=False))
def test_a_forged_model_is_refused_or_right_and_hides_nothing(
    folder: Path, kind: str, rng: Random
) -> None:
    path = folder / "odd.distill"
    path.write_bytes(forging.MODELS[kind](rng, (folder / "good.distill").read_bytes()))
    assert forged_verdicts.of_model(path) in FINE
    assert forged_verdicts.of_library(folder, path) in FINE


@pytest.mark.slow
@settings(calm, max_examples=50)
@given(seed=st.integers(0, 2**32))
def test_a_forged_atlas_is_refused_or_right(folder: Path, seed: int) -> None:
    path = folder / "odd.npz"
    path.write_bytes(forging.forged_atlas(Random(seed), (DATA / "atlas.npz").read_bytes()))
    assert forged_verdicts.of_atlas(path) in FINE


@settings(calm, max_examples=30)
@given(seed=st.integers(0, 2**32))
def test_what_is_no_file_hides_nothing(folder: Path, seed: int) -> None:
    path = folder / "odd.distill"
    forging.make_odd(Random(seed), path)
    try:
        assert forged_verdicts.of_library(folder, path) in FINE
    finally:
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
