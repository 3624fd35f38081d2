"""The nearest recording of a sound: itself where it is one, the one it was cut from, the usual."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from distill import LoadedVQModel, load_model_v2
from distill.analysis import Neighbours
from distill.errors import CodesError, PriorError
from distill.training import TrainingResult
from tests.priors import untrained

STEP_S = 1024 / 48_000
SECOND = round(1 / STEP_S)


def grid(steps: int) -> torch.Tensor:
    return torch.randint(0, 16, (steps, 3), generator=torch.Generator().manual_seed(steps))


@pytest.fixture
def model(trained: TrainingResult) -> LoadedVQModel:
    made = load_model_v2(trained.model_path)
    made.use_prior(untrained(made, grid(150), grid(120), grid(20)))
    return made


def test_a_recording_is_nearest_to_itself(model: LoadedVQModel) -> None:
    neighbours = Neighbours(model)
    for number, steps in enumerate((150, 120, 20)):
        found = neighbours.nearest(model.codes_of(grid(steps).T, 9600, 0.5))
        assert (found.recording, found.distance_db) == (f"take-{number}.wav", 0.0)
        assert found.is_nearer_than_usual
        assert found.begins_s == found.recording_s  # the same place


def test_a_part_is_found_where_it_was_cut(model: LoadedVQModel) -> None:
    part = grid(150)[40 : 40 + SECOND + 20]
    found = Neighbours(model).nearest(model.codes_of(part.T, 9600, 0.5))
    assert found.recording == "take-0.wav"
    assert found.recording_s - found.begins_s == pytest.approx(40 * STEP_S)
    assert 0 < found.distance_db < found.usual_db  # at its edges the decoder sees other steps


def test_the_distance_is_the_mean_difference_of_bands(model: LoadedVQModel) -> None:
    codes = torch.randint(0, 16, (3, SECOND), generator=torch.Generator().manual_seed(9))
    model.use_prior(untrained(model, grid(SECOND + 2)))
    found = Neighbours(model).nearest(model.codes_of(codes, 9600, 0.5))

    def bands(indices: torch.Tensor) -> torch.Tensor:
        magnitude = model.spectrogram.magnitude(model.mel_of(indices))
        return 20 * magnitude.log10().reshape(magnitude.shape[0], -1, 2).mean(-1)

    ours, theirs = bands(codes), bands(grid(SECOND + 2).T)
    apart = [float((ours - theirs[:, at : at + SECOND]).abs().mean()) for at in range(3)]
    assert found.distance_db == pytest.approx(min(apart), rel=1e-4)
    assert found.recording_s == pytest.approx(apart.index(min(apart)) * STEP_S)
    assert math.isnan(found.usual_db) and not found.is_nearer_than_usual
    assert str(found).startswith("nearest recording: take-0.wav, ")
    assert "9 in 10" not in str(found) and "9 in 10" in str(replace(found, usual_db=3.0))


def test_what_has_no_neighbours_is_refused(model: LoadedVQModel, trained: TrainingResult) -> None:
    with pytest.raises(PriorError, match="has no prior to make new sounds with"):
        Neighbours(load_model_v2(trained.model_path))
    codes = model.codes_of(grid(20).T, 9600, 0.5)
    with pytest.raises(CodesError, match=r"^codes of the model"):
        Neighbours(model).nearest(replace(codes, made_by="0" * 64))
