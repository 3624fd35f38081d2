"""What counting knows of codes, which priors are measured by: benchmarks/count_mix.py."""

from __future__ import annotations

import importlib.util
import math
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "count_mix.py"
LEVELS, ENTRIES = 2, 3


@pytest.fixture(scope="module")
def count_mix() -> Any:
    spec = importlib.util.spec_from_file_location("count_mix", BENCHMARK)
    assert spec is not None and spec.loader is not None
    sys.modules["count_mix"] = made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def _grids(least: int = 1) -> st.SearchStrategy[list[Tensor]]:
    code = st.integers(0, ENTRIES - 1)
    step = st.lists(code, min_size=LEVELS, max_size=LEVELS)
    grid = st.lists(step, min_size=1, max_size=12).map(torch.tensor)
    return st.lists(grid, min_size=least, max_size=4)


@settings(deadline=None, max_examples=40)
@given(counted=_grids(), fitted=_grids(), before=_grids(), level=st.integers(0, LEVELS - 1))
def test_the_chances_of_all_codes_are_one_together(
    count_mix: Any, counted: list[Tensor], fitted: list[Tensor], before: list[Tensor], level: int
) -> None:
    mix = count_mix.CountMix.of(counted, fitted, LEVELS, ENTRIES)
    assert mix.weights[level].sum() == pytest.approx(1)
    total = 0.0
    for code in range(ENTRIES):
        sound = before[0].clone()
        sound[-1, level] = code
        chances = count_mix._chances(mix.grids, [sound], level, ENTRIES)
        total += float((mix.weights[level] @ chances)[-1])
    assert total == pytest.approx(1)


def test_it_finds_what_codes_depend_on(count_mix: Any) -> None:
    """Level 1 is that before last and last together, level 2 the one above: both without chance."""
    random = torch.Generator().manual_seed(0)

    def sound() -> Tensor:
        first = torch.randint(0, ENTRIES, (2,), generator=random).tolist()
        while len(first) < 60:
            first.append((first[-1] + first[-2]) % ENTRIES)
        return torch.tensor([[code, (2 * code + 1) % ENTRIES] for code in first])

    mix = count_mix.CountMix.of([sound() for _ in range(20)], [sound()], LEVELS, ENTRIES)
    above, below = mix.bits([sound() for _ in range(5)])
    assert above < 0.1 * math.log2(ENTRIES) and below < 0.02 * math.log2(ENTRIES)
    one_context = mix.weights[0].argmax()
    assert count_mix._contexts(0)[int(one_context)] == ("before", "before that")
