"""What a prior made, beside recordings that it did not learn from; see `prior.py --samples`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean, median
from typing import Any

import torch
from torch import Tensor

from distill import Codes, LoadedVQModel
from distill.analysis import Neighbours
from distill.audio.kernel_distance import kernel_distance, mel_statistics
from distill.models.prior.drawing import Drawing
from distill.models.prior.sounds import CodedSound
from distill.models.prior.stream import CodeStream

SECONDS = 30.0
SETTINGS: dict[str, dict[str, Any]] = {
    "temperature 1": {},
    "temperature 0.8": {"temperature": 0.8},
    "temperature 0": {"temperature": 0},
    "novelty 1": {"novelty": 1},
}
_GAP_S, _AFTER_S, _LOOP_S = 1.0, 0.5, 4.0
_DRAWS, _PLACES = (1, 4, 16), (1, 24, 96)
_QUIET_DB = 40.0


def sample_rows(
    model: LoadedVQModel,
    held_out: Sequence[CodedSound],
    count: int,
    settings_of: Mapping[str, Mapping[str, Any]] = SETTINGS,
) -> list[dict[str, Any]]:
    """What samples of 30 s are like, and the same of recordings."""
    neighbours = Neighbours(model)
    judged = [_as_codes(model, sound.codes) for sound in held_out]
    learned = [_as_codes(model, sound.codes) for sound in model.prior.sounds]
    reference = _statistics(model, judged)
    rows = [
        _row(model, neighbours, "held-out recordings", judged, None),
        {**_row(model, neighbours, "learned from", [], None),
         "kernel distance": kernel_distance(_statistics(model, learned), reference)},
    ]  # fmt: skip
    for name, settings in settings_of.items():
        made = [model.generate(SECONDS, seed=seed, **settings) for seed in range(count)]
        rows.append(_row(model, neighbours, name, made, reference))
    return rows


def join_rows(model: LoadedVQModel, held_out: Sequence[CodedSound]) -> list[dict[str, Any]]:
    """What the half second behind a gap, and behind a loop's end, costs: bits a step."""
    rate = model.config.step_rate_hz
    gap, after = round(_GAP_S * rate), round(_AFTER_S * rate)
    rows: dict[str, list[float]] = {}
    sounds = [sound.codes for sound in held_out if len(sound.codes) >= gap + 2 * after]
    for seed, grid in enumerate(sounds):
        first = (len(grid) - gap) // 2
        codes, behind = _as_codes(model, grid), grid[first + gap :][:after].long()
        _add(rows, "gap of 1 s: as it was", _bits(model, grid[: first + gap], behind))
        for draws in _DRAWS:
            filled = model.fill(codes, first / rate, (first + gap) / rate, draws=draws, seed=seed)
            before = filled.indices[:, : first + gap].T
            _add(rows, f"gap of 1 s: {draws} draws", _bits(model, before, behind))
    for places in _PLACES:
        for seed in range(len(sounds)):
            round_ = model.loop(_LOOP_S, places=places, seed=seed).indices[:, :-1].T
            _add(rows, f"loop of 4 s: {places} places", _bits(model, round_, round_[:after]))
            half = len(round_) // 2
            inside = _bits(model, round_[:half], round_[half : half + after])
            _add(rows, "middle of these loops", inside)
    return [
        {"behind a": name, "bits a step": mean(bits) / after, "sounds": len(bits)}
        for name, bits in rows.items()
    ]


def _row(
    model: LoadedVQModel,
    neighbours: Neighbours,
    name: str,
    sounds: Sequence[Codes],
    reference: Tensor | None,
) -> dict[str, Any]:
    near = [neighbours.nearest(codes) for codes in sounds]
    runs = [model.prior.shared_run(codes) for codes in sounds]
    nan = float("nan")

    def share(these: Sequence[bool]) -> float:
        return 100 * sum(these) / len(these) if these else nan

    return {
        "sounds": name,
        "kernel distance": nan if reference is None
        else kernel_distance(_statistics(model, sounds), reference),
        "nearest, dB": median(found.distance_db for found in near) if near else nan,
        "% nearer than usual": share([found.is_nearer_than_usual for found in near]),
        "% copies": share([run.is_copy for run in runs]),
        "longest run, s": median(run.seconds for run in runs) if runs else nan,
        "% dead": share([_is_dead(model, codes) for codes in sounds]),
        "% stuck": share([_is_stuck(model, codes) for codes in sounds]),
    }  # fmt: skip


def _as_codes(model: LoadedVQModel, grid: Tensor) -> Codes:
    step = model.config.stride * model.config.spectrogram.hop_length
    return model.codes_of(grid.T, len(grid) * step - 1, 1.0)


def _statistics(model: LoadedVQModel, sounds: Sequence[Codes]) -> Tensor:
    second = round(model.config.step_rate_hz * model.config.stride)
    return torch.cat([mel_statistics(model.mel_of(x.indices).cpu(), second) for x in sounds])


def _is_dead(model: LoadedVQModel, codes: Codes) -> bool:
    """Whether its last 5 s are silence, beside the rest."""
    levels = 20 * model.spectrogram.magnitude(model.mel_of(codes.indices)).amax(dim=0).log10()
    last = round(5 * model.config.step_rate_hz * model.config.stride)
    return bool(levels[-last:].max() < levels.max() - _QUIET_DB)


def _is_stuck(model: LoadedVQModel, codes: Codes) -> bool:
    """Whether its last 10 s are, to nine in ten steps, the same 2 s or less again and again."""
    rate, grid = model.config.step_rate_hz, codes.indices
    last = grid[:, -round(10 * rate) :]
    return any(
        float((last[:, lag:] == last[:, :-lag]).all(dim=0).double().mean()) > 0.9
        for lag in range(1, round(2 * rate))
        if lag < last.shape[1]
    )


def _bits(model: LoadedVQModel, before: Tensor, after: Tensor) -> float:
    stream = CodeStream(model.prior.module, Drawing(), 0)
    for column in before.tolist():
        stream.take(column)
    return stream.bits_of(after)


def _add(rows: dict[str, list[float]], name: str, bits: float) -> None:
    rows.setdefault(name, []).append(bits)
