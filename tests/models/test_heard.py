"""Sounds that are heard while they are drawn: pieces that come soon, and join to what was drawn."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor

from distill import Codes, LoadedVQModel, load_model_v2
from distill.audio.signal_window import Window
from distill.audio.spectrogram import LogMel
from distill.models.prior.stream import CodeStream
from distill.models.use.code_pieces import mel_pieces
from distill.training import TrainingResult
from tests.priors import random_codes, with_untrained_prior


@pytest.fixture(scope="module")
def model(trained: TrainingResult) -> LoadedVQModel:
    """A model with a prior that has learned nothing, of two recordings."""
    return with_untrained_prior(load_model_v2(trained.model_path))


Draw = Callable[..., Codes]
DRAWS = {
    "generate": lambda model: lambda **asked: model.generate(3.0, seed=1, **asked),
    "continue": lambda model: (
        lambda **asked: model.continue_sound(random_codes(model), 2.5, seed=1, **asked)
    ),
    "vary": lambda model: lambda **asked: model.vary(random_codes(model, 140), seed=1, **asked),
}


@pytest.mark.parametrize("draws", DRAWS.values(), ids=DRAWS)
def test_it_is_heard_before_it_is_drawn(
    model: LoadedVQModel, draws: Callable[..., Draw], monkeypatch: pytest.MonkeyPatch
) -> None:
    draw, drawn, heard, at = draws(model), 0, [], []
    next_of = CodeStream.next

    def counted(*args: object, **options: object) -> object:
        nonlocal drawn
        drawn += 1
        return next_of(*args, **options)  # type: ignore[arg-type]

    def hear(piece: Tensor) -> None:
        heard.append(piece)
        at.append(drawn)

    monkeypatch.setattr(CodeStream, "next", counted)
    codes = draw(on_sound=hear)
    assert torch.equal(codes.indices, draw().indices)
    assert sum(map(len, heard)) == codes.samples
    assert len(heard) > 2 and at == sorted(at)
    assert at[0] < 0.5 * at[-1] and at[-1] <= codes.steps
    assert len(heard[0]) < 0.6 * model.sample_rate
    assert all(piece.dtype == torch.float32 and piece.device.type == "cpu" for piece in heard)


@settings(deadline=None, max_examples=15)
@given(st.integers(1, 90), st.lists(st.integers(1, 30), min_size=90, max_size=90))
def test_frames_of_pieces_of_any_size_are_those_of_the_whole(
    model: LoadedVQModel, steps: int, sizes: list[int]
) -> None:
    grid = random_codes(model, steps).indices
    columns = Window(grid[:, at : at + 1] for at in range(steps))
    with torch.no_grad():
        made = torch.cat(list(mel_pieces(model.model, columns, steps, sizes)), dim=-1)
    assert made.shape == model.mel_of(grid).shape
    assert made == pytest.approx(model.mel_of(grid), abs=1e-4)


def test_what_is_heard_is_as_near_to_its_frames_as_the_whole(model: LoadedVQModel) -> None:
    codes, heard = random_codes(model, 140), []
    codes = model.vary(codes, seed=1, on_sound=heard.append)
    spectrogram = LogMel(model.config.spectrogram)
    wanted = model.mel_of(codes.indices)[:, : spectrogram.frames(codes.samples)]

    def away(sound: Tensor) -> float:
        return float((spectrogram(sound / codes.peak) - wanted).abs().mean())

    assert away(torch.cat(heard)) < 1.1 * away(model.decode(codes)[0])


@pytest.mark.parametrize("seconds", [0.001, 0.04, 0.5, 0.6])
def test_short_ones_are_heard_whole(model: LoadedVQModel, seconds: float) -> None:
    heard: list[Tensor] = []
    codes = model.generate(seconds, seed=1, on_sound=heard.append)
    assert sum(map(len, heard)) == codes.samples == round(seconds * 48_000)


def test_a_vocoder_that_knows_whole_sounds_only_gives_one_piece(trained: TrainingResult) -> None:
    model, heard = with_untrained_prior(load_model_v2(trained.model_path)), []
    ours = model.vocoder
    model.vocoder = lambda mel, samples=None: ours(mel, samples)  # type: ignore[assignment]
    codes = model.generate(2.0, seed=1, on_sound=heard.append)
    assert [len(piece) for piece in heard] == [codes.samples]
    assert heard[0] == pytest.approx(model.decode(codes)[0], abs=1e-4)


def test_who_hears_may_break_it_off(model: LoadedVQModel) -> None:
    def hear(piece: Tensor) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.generate(3.0, seed=1, on_sound=hear)
