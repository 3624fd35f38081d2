from __future__ import annotations

import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, strategies as st

from distill import RunFolder, VQVAEConfig, get_adaptive_vqvae_config
from distill.config.start import BASE, NOTHING
from distill.errors import OutsideDataError
from distill.family import family
from distill.training.run.preparation import begin_run, write_request
from distill.training.run.request import RunRequest, SoundEntry
from distill.training.run.start import RunStart
from distill.training.watch import normal
from distill.training.watch.epoch_curves import epoch_values
from distill.training.watch.normal import (
    REFERENCE_FILE,
    Band,
    Bands,
    NormalRuns,
    ReferenceRuns,
    compared_settings,
    left_band,
    normal_for,
    read_reference_runs,
    reference_runs,
    size_class,
)

from .test_history import HEALTH, epoch

CONFIG = VQVAEConfig(levels=1, codebook_size=16, max_steps=9)
SOUNDS = tuple(SoundEntry(f"{n}.wav", "0" * 64, 1.0, "training") for n in range(30))


def band(**changes: Any) -> Band:
    values: dict[str, Any] = {
        "family": "vqvae", "start": NOTHING, "digest": "", "files": (21, 100),
        "settings": compared_settings(CONFIG), "runs": 3, "corpora": ["demo"], "steps": [50, 100],
        "curves": {"validation loss": Bands([0.4, 0.13], [0.6, 0.18])},
    }  # fmt: skip
    return Band(**{**values, **changes})


def request(config: VQVAEConfig = CONFIG, sounds: int = 30, **changes: Any) -> RunRequest:
    made = RunRequest.of(config, [], name="run", device="cpu", start=RunStart())
    return replace(made, corpus=SOUNDS[:sounds], **changes)


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Band:
    """The only band there is."""
    made = band()
    monkeypatch.setattr(normal, "reference_runs", lambda: ReferenceRuns([made]))
    return made


def test_runs_are_compared_with_their_like_only(known: Band) -> None:
    assert normal_for(request()) is known
    longer = replace(CONFIG, max_steps=5000, seed=7, preview_count=1)
    assert normal_for(request(longer)) is known
    assert normal_for(request(replace(CONFIG, codebook_size=32))) is None
    assert normal_for(request(sounds=20)) is None
    assert normal_for(request(sounds=0)) is None
    assert normal_for(request(start=RunStart("base", "0" * 64))) is None


def test_the_band_of_a_run_that_has_just_begun_is_known_once_its_sounds_are(
    known: Band, tmp_path: Path
) -> None:
    """A trainer reads them after the run was begun, and a dashboard is there before."""
    run = tmp_path / "run"
    begin_run(run, request(sounds=0).to_dict())
    normal_runs = NormalRuns(RunFolder(run))
    one = [replace(epoch(0, 0.5, 0.31, True), step=60)]
    assert normal_runs.like is known and normal_runs.beside(one) is None
    write_request(run, request().to_dict())
    assert normal_runs.beside([]) is None
    assert normal_runs.beside(one) == known
    shutil.rmtree(run)
    assert normal_runs.beside(one) == known
    begin_run(run, request(sounds=0).to_dict())
    gone = NormalRuns(RunFolder(run))
    shutil.rmtree(run)
    assert gone.like is known and gone.beside(one) is None


def test_losses_are_compared_at_the_height_at_which_a_run_began() -> None:
    """A drone may cost ten times what a drum does; how either goes on is alike."""
    curves = {"validation loss": Bands([1.0, 0.8], [1.0, 1.1]), "used 0": Bands([0.5, 0.6], [1, 1])}
    relative = band(curves=curves, relative=["validation loss"])
    assert relative.beside([replace(epoch(0, 9.0, 3.0, True), step=40)]) is None
    epochs = [
        replace(epoch(n, 9.0, loss, True), step=20 * n + 20) for n, loss in enumerate((4, 3, 1))
    ]
    found = relative.beside(epochs)  # 2.0 at step 50, between 3 at 40 and 1 at 60
    assert found is not None and found.relative == []
    assert found.curves["validation loss"] == Bands([2.0, 1.6], [2.0, 2.2])
    assert found.curves["used 0"] == curves["used 0"]
    assert left_band(found, [replace(epochs[0], step=100, val_loss=2.7)]) == ""
    assert "1.6 to 2.2" in left_band(found, [replace(epochs[0], step=100, val_loss=2.9)])
    assert (
        left_band(relative.beside([replace(epochs[0], step=60, val_loss=math.nan)]), epochs) == ""
    )


def test_a_run_that_leaves_the_band_is_told_in_a_sentence() -> None:
    one = replace(epoch(0, 0.5, 0.31, True), step=100)
    assert left_band(band(), [one]) == (
        "validation loss 0.31 at step 100: runs like this were at 0.13 to 0.18; see What is normal"
    )
    assert left_band(band(), [replace(one, val_loss=0.2)]) == ""  # a little outside
    assert left_band(band(), [replace(one, val_loss=math.nan)]) == ""
    assert left_band(band(), [replace(one, step=101)]) == ""  # nothing was measured there
    assert left_band(None, [one]) == left_band(band(), []) == ""


@given(st.integers(0, 200), st.floats(-2, 2))
def test_the_sentence_comes_where_a_loss_is_farther_out_than_the_band_is_wide(
    step: int, loss: float
) -> None:
    said = left_band(band(), [replace(epoch(0, 0.5, loss, True), step=step)])
    share = (step - 50) / 50
    low, high = 0.4 + share * (0.13 - 0.4), 0.6 + share * (0.18 - 0.6)
    outside = abs(loss - (low + high) / 2) / (high - low) - 1.5
    if abs(outside) > 1e-6:
        assert bool(said) == (50 <= step <= 100 and outside > 0)


def test_where_a_band_has_no_width_there_is_some_room() -> None:
    thin = band(curves={"validation loss": Bands([1.0, 1.0], [1.0, 1.0])})
    near, far = (replace(epoch(0, 0.5, loss, True), step=60) for loss in (1.04, 1.06))
    assert left_band(thin, [near]) == "" and left_band(thin, [far])


def test_what_is_written_is_read(tmp_path: Path) -> None:
    runs = ReferenceRuns([band(), band(start="base", digest="ab")])
    (tmp_path / "runs.json").write_bytes(msgspec.json.encode(runs))
    assert read_reference_runs(tmp_path / "runs.json") == runs


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"steps": [100, 50]}, "expected steps that rise"),
        ({"steps": [50]}, "expected as many numbers in a curve as steps"),
        ({"steps": []}, "steps"),
        ({"curves": {"validation loss": {"low": ["x"], "high": []}}}, "low"),
        ({"files": 3}, "files"),
    ],
)
def test_what_is_no_file_of_bands_is_refused(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    values = {**msgspec.to_builtins(band()), **change}
    (tmp_path / "runs.json").write_bytes(msgspec.json.encode({"bands": [values]}))
    with pytest.raises(OutsideDataError, match=f"runs.json.*{said}"):
        read_reference_runs(tmp_path / "runs.json")


def test_an_epoch_has_all_its_curves_by_name() -> None:
    values = epoch_values(family("vqvae"), epoch(0, 0.5, 0.3, True))
    assert values["training loss"] == 0.5 and values["validation loss"] == 0.3
    assert values["validation commitment"] == 0.2
    assert values["used 0"] == HEALTH[0].used
    assert values["entropy / bits 0"] == HEALTH[0].entropy_share


def test_a_run_with_the_settings_and_the_base_of_today_has_a_band() -> None:
    """After another base or other defaults `benchmarks/normal_runs.py --write` has to run again."""
    config = get_adaptive_vqvae_config(len(SOUNDS))
    found = normal_for(request(config, start=RunStart.chosen(BASE, config)))
    assert found is not None and found.steps[-1] >= 100


def test_bands_of_the_package_are_of_real_runs() -> None:
    assert reference_runs().bands
    for one in reference_runs().bands:
        assert one.runs >= 3 and one.corpora and one.files == size_class(one.files[0])
        for both in one.curves.values():
            assert all(low <= high for low, high in zip(both.low, both.high, strict=True))
    assert REFERENCE_FILE.stat().st_size < 64 << 10
