"""Checkpoints of the first version, which knew one family, as they are written today."""

from __future__ import annotations

from typing import Any

import torch

from distill.family import VQVAE
from distill.training.run.state_checks import check_counts, member, table

_MOST_LEVELS = 64
_SUMS = {"loss": "loss", "reconstruction": "reconstruction", "part commitment": "commitment"}


def upgraded(state: Any) -> Any:
    """The contents of a checkpoint in today's form; they are checked afterwards.

    Raises:
        CheckpointError: it begins as one of the first version, but is none.
    """
    if not isinstance(state, dict) or "optimizer" not in state:
        return state
    fields = {name: value for name, value in state.items() if name not in ("optimizer", "sampler")}
    return {
        **fields,
        "family": VQVAE,
        "optimizers": [state["optimizer"]],
        "task": {"sampler": member(state, "sampler")},
        "totals": _totals(table(member(state, "totals"), "totals")),
        "reporter": _reporter(table(member(state, "reporter"), "reporter")),
    }


def _totals(found: dict[Any, Any]) -> dict[str, Any]:
    sums = table(member(found, "sums"), "totals: sums")
    return {
        "sums": {new: sums[old] for old, new in _SUMS.items() if old in sums},
        "weight": member(found, "weight"),
        "observed": {
            "counts": member(found, "counts"),
            "replaced": _replaced(member(found, "replaced")),
        },
        "steps": member(found, "steps"),
        "skipped": member(found, "skipped"),
    }


def _reporter(found: dict[Any, Any]) -> dict[str, Any]:
    window = {
        "counts": member(found, "window"),
        "replaced": _replaced(member(found, "window_replaced")),
    }
    return {
        "health": {
            "window": window,
            "steps": member(found, "window_steps"),
            "warned": member(found, "thin_levels"),
        },
        "overfitting": {"warned": member(found, "told_overfitting")},
    }


def _replaced(found: Any) -> torch.Tensor:
    length = len(found) if isinstance(found, list) else 0
    check_counts(found, "replaced", min(length, _MOST_LEVELS))
    return torch.tensor(found, dtype=torch.int64)
