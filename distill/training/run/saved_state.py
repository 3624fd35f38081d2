"""What a checkpoint holds, checked before any of it reaches a model.

A file may be whole and still not be what it says: written by another program, or by somebody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from distill.checked import brief
from distill.config import TrainingConfig
from distill.errors import CheckpointError
from distill.family import Family, family_of
from distill.training.engine.task import Task
from distill.training.run.state_checks import (
    check_count,
    check_counts,
    check_generator,
    check_number,
    check_tensor,
    expect,
    member,
    table,
)

_EVERYTHING_ELSE = 64 << 20
_MOST_SUMS, _MOST_DEVICES, _LARGEST_RNG, _MOST_ROWS = 64, 1024, 1 << 16, 64
_COUNTS = ("epoch", "step", "batches_done", "skipped_in_a_row", "best_epoch", "events_bytes")


def check_state(state: Any, config: TrainingConfig) -> None:
    """Checks whether a run of a config can be resumed from a checkpoint's contents.

    Everything that is applied later is checked now: kinds, shapes, lengths and ranges, so that no
    engine is ever half loaded.

    Raises:
        CheckpointError: something is missing or is not what it should be; it is named.
    """
    kind = family_of(config)
    task, optimizers = _like(kind, config)
    weights = task.module.state_dict()
    fields = table(state, "its contents")
    _check_family(member(fields, "family"), kind)

    _weights(fields, "model", weights)
    if table(member(fields, "best_weights"), "best_weights"):
        _weights(fields, "best_weights", weights)
    _optimizers(member(fields, "optimizers"), optimizers)
    task.check_state(member(fields, "task"))

    nothing = task.nothing_observed()
    _totals(table(member(fields, "totals"), "totals"), nothing, ("loss", *task.loss_parts))
    _reporter(table(member(fields, "reporter"), "reporter"), nothing)
    for name in _COUNTS:
        check_count(member(fields, name), name)
    check_count(fields.get("processes", 1), "processes")  # earlier versions did not say
    check_number(member(fields, "elapsed_s"), "elapsed_s", low=0.0)
    check_number(member(fields, "best_loss"), "best_loss", infinite=True)
    check_generator(member(fields, "torch_rng"), "torch_rng")
    _devices(member(fields, "cuda_rng"))


def largest_bytes(config: TrainingConfig) -> int:
    """Most bytes that a checkpoint of a run of this config can have."""
    task, optimizers = _like(family_of(config), config)
    weights = _bytes(task.module.state_dict())
    moments = sum(_bytes(moment) for optimizer in optimizers for moment in optimizer.state.values())
    observed = 3 * _bytes(task.nothing_observed())
    return 2 * weights + moments + observed + _EVERYTHING_ELSE


def _like(kind: Family, config: TrainingConfig) -> tuple[Task, list[Optimizer]]:
    """A task without memory for its numbers, and its optimisers as they are after a step."""
    with torch.device("meta"):
        task: Task = kind.task(config)
    optimizers = list(task.optimizers())
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                parameter.grad = torch.zeros_like(parameter)
        optimizer.step()
    return task, optimizers


def _bytes(tensors: Mapping[str, Any]) -> int:
    return sum(
        value.numel() * value.element_size()
        for value in tensors.values()
        if isinstance(value, Tensor)
    )


def _check_family(name: Any, kind: Family) -> None:
    if name != kind.name:
        found = repr(brief(name, 60)) if isinstance(name, str) else type(name).__name__
        raise CheckpointError(
            f"family: is of a run of type {found}; expected {kind.name!r} as in run.json: resume "
            "it with the run.json that it began with, or begin a new run in another folder"
        )


def _weights(fields: dict[Any, Any], part: str, expected: dict[str, Tensor]) -> None:
    found = table(member(fields, part), part)
    for name in expected:
        if name not in found:
            raise CheckpointError(f"{part}: {name} is missing")
    expect(len(found) == len(expected), part, ": found weights of no part of the model")
    for name, like in expected.items():
        check_tensor(found[name], f"{part}: {name}", tuple(like.shape), like.dtype, low=None)


def _optimizers(found: Any, expected: list[Optimizer]) -> None:
    expect(isinstance(found, list) and len(found) == len(expected), "optimizers")
    for saved, like in zip(found, expected, strict=True):
        _optimizer(table(saved, "optimizer"), like.state_dict())


def _optimizer(found: dict[Any, Any], like: dict[str, Any]) -> None:
    groups = member(found, "param_groups")
    is_list = isinstance(groups, list) and len(groups) == len(like["param_groups"])
    expect(is_list, "optimizer: param_groups")
    for group, expected in zip(groups, like["param_groups"], strict=True):
        _group(table(group, "optimizer: param_groups"), expected)
    moments = table(member(found, "state"), "optimizer: state")
    for number, moment in moments.items():
        expect(type(number) is int and number in like["state"], "optimizer: state")
        name, expected = f"optimizer: state {number}", like["state"][number]
        expect(set(table(moment, name)) == set(expected), name)
        for key, value in expected.items():
            # A square or a count below zero would make the next step NaN.
            low = 0 if key == "step" or key.endswith("_sq") else None
            check_tensor(moment[key], name, tuple(value.shape), value.dtype, low=low)


def _group(found: dict[Any, Any], like: dict[str, Any]) -> None:
    check_counts(member(found, "params"), "optimizer: params", len(like["params"]))
    expect(found["params"] == like["params"], "optimizer: params")
    for name, value in found.items():
        name = f"optimizer: {str(name)[:40]}"
        if isinstance(value, (list, tuple)):
            expect(len(value) <= len(like["params"]) + 2, name)
            for item in value:
                check_number(item, name)
        elif value is not None and type(value) is not bool:
            check_number(value, name, low=0.0)
    for key in ("lr", "eps", "weight_decay"):
        if key in like:
            check_number(member(found, key), f"optimizer: {key}", low=0.0)
    if "betas" in like:
        _betas(member(found, "betas"))


def _betas(value: Any) -> None:
    expect(
        isinstance(value, (list, tuple))
        and len(value) == 2
        and all(type(beta) is float and 0.0 <= beta < 1.0 for beta in value),
        "optimizer: betas",
    )


def _totals(found: dict[Any, Any], nothing: Mapping[str, Tensor], names: tuple[str, ...]) -> None:
    _observed(member(found, "observed"), "totals: observed", nothing)
    sums = table(member(found, "sums"), "totals: sums")
    expect(len(sums) <= _MOST_SUMS and set(sums) in (set(), set(names)), "totals: sums")
    for name, value in sums.items():
        check_number(value, f"totals: {name}")
    check_number(member(found, "weight"), "totals: weight", low=0.0)
    expect(not sums or found["weight"] > 0, "totals: weight")
    for name in ("steps", "skipped"):
        check_count(member(found, name), f"totals: {name}")


def _reporter(found: dict[Any, Any], nothing: Mapping[str, Tensor]) -> None:
    health = table(member(found, "health"), "reporter: health")
    _observed(member(health, "window"), "reporter: window", nothing)
    check_count(member(health, "steps"), "reporter: steps")
    if "before" in health:  # earlier versions did not count it
        _observed(health["before"], "reporter: before", nothing)
        check_count(member(health, "steps_before"), "reporter: steps_before")
    warned = member(health, "warned")
    is_right = isinstance(warned, list) and all(
        type(row) is int and 0 <= row < _MOST_ROWS for row in warned
    )
    expect(is_right, "reporter: warned")
    overfitting = table(member(found, "overfitting"), "reporter: overfitting")
    expect(type(member(overfitting, "warned")) is bool, "reporter: overfitting")


def _observed(found: Any, name: str, nothing: Mapping[str, Tensor]) -> None:
    sums = table(found, name)
    expect(set(sums) == set(nothing), name)
    for key, like in nothing.items():
        low = None if like.is_floating_point() else 0
        check_tensor(sums[key], f"{name}: {key}", tuple(like.shape), like.dtype, low=low)


def _devices(found: Any) -> None:
    expect(isinstance(found, list) and len(found) <= _MOST_DEVICES, "cuda_rng")
    for device in found:
        is_plain = type(device) is Tensor and device.ndim == 1 and device.numel() <= _LARGEST_RNG
        expect(is_plain and device.dtype == torch.uint8, "cuda_rng")
