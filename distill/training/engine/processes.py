"""What the processes of one training agree on; with a single one nothing is exchanged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor

from distill.training.engine.totals import EpochTotals

if TYPE_CHECKING:
    from lightning_fabric import Fabric


class Processes:
    """Combines what each process has computed."""

    def __init__(self, fabric: Fabric) -> None:
        self._fabric = fabric
        self.alone = fabric.world_size == 1
        """Whether there is one process only."""

    def means(self, scalars: Sequence[Tensor]) -> list[float]:
        """Scalars of the device as numbers, their means over all processes: one transfer."""
        if self.alone:
            return fetched(scalars)
        return fetched(self._reduced(_stacked(scalars).double(), "mean"))

    def sums(self, observed: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The sums over all processes of what was observed."""
        if self.alone:
            return dict(observed)
        return {name: self._reduced(value, "sum") for name, value in observed.items()}

    def totals(self, own: EpochTotals, names: Sequence[str]) -> None:
        """Makes each process's totals those of all.

        Args:
            own: replaced by those of all.
            names: of the sums; a process without a batch has none.
        """
        if self.alone:
            return
        mine = [own.sums.get(name, 0.0) for name in names]
        counts = [own.weight, float(own.steps), float(own.skipped)]
        values = torch.tensor([*mine, *counts], dtype=torch.float64, device=self._fabric.device)
        *sums, own.weight, steps, skipped = fetched(self._reduced(values, "sum"))
        own.sums = dict(zip(names, sums, strict=True))
        own.steps, own.skipped = int(steps), int(skipped)
        device = self._fabric.device
        observed = {name: value.to(device) for name, value in own.observed.fetched().items()}
        own.observed.load(self.sums(observed))

    def first(self, values: Sequence[float]) -> list[float]:
        """What the first process has."""
        if self.alone:
            return list(values)
        shared = torch.tensor(values, dtype=torch.float64, device=self._fabric.device)
        torch.distributed.broadcast(shared, src=0)
        return fetched(shared)

    def _reduced(self, value: Tensor, how: Any) -> Tensor:
        return cast(Tensor, self._fabric.all_reduce(value.clone(), reduce_op=how))


def fetched(scalars: Sequence[Tensor] | Tensor) -> list[float]:
    """Scalars of the device as numbers, with one transfer."""
    values = scalars if isinstance(scalars, Tensor) else _stacked(scalars)
    found: list[float] = values.to("cpu").tolist()
    return found


def _stacked(scalars: Sequence[Tensor]) -> Tensor:
    return torch.stack([scalar.detach().float().reshape(()) for scalar in scalars])
