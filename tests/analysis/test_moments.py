"""Against a loop over every run of every file."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings, strategies as st

from distill.analysis.atlas.moments import PER_ENTRY, PER_FILE, MomentFinder


def naive(files: list[tuple[np.ndarray, np.ndarray]], level: int, entry: int) -> list[tuple]:  # type: ignore[type-arg]
    found = []
    for file, (codes, distances) in enumerate(files):
        runs, place = [], 0
        for code, group in itertools.groupby(codes[level].tolist()):
            length = len(list(group))
            if code == entry:
                nearest = float(distances[level, place : place + length].min())
                runs.append((nearest, file, place, length))
            place += length
        found += sorted(runs)[:PER_FILE]
    return sorted(found)[:PER_ENTRY]


@settings(max_examples=50, deadline=None)
@given(lengths=st.lists(st.integers(1, 30), min_size=1, max_size=6), seed=st.integers(0, 999))
def test_the_nearest_runs_are_kept(lengths: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    files = [(rng.integers(0, 4, (2, n)), rng.random((2, n)).astype(np.float32)) for n in lengths]
    finder = MomentFinder(2, 5)  # entry 4 is never used
    for number, (codes, distances) in enumerate(files):
        finder.add(number, codes, distances)
    for level in range(2):
        for entry in range(5):
            kept = [
                (float(distance), int(file), int(start), int(length))
                for distance, file, start, length in zip(
                    finder.distances[level, entry],
                    finder.files[level, entry],
                    finder.starts[level, entry],
                    finder.lengths[level, entry],
                    strict=True,
                )
                if file >= 0
            ]
            assert kept == naive(files, level, entry)


def test_a_held_tone_is_one_moment_and_a_file_gives_at_most_two() -> None:
    finder = MomentFinder(1, 2)
    codes = np.array([[1] * 50 + [0] + [1] * 3 + [0] + [1]])
    finder.add(7, codes, np.linspace(1, 0, codes.size)[None])
    assert finder.files[0, 1].tolist() == [7, 7, -1, -1, -1]
    assert finder.starts[0, 1, :2].tolist() == [55, 51]
    assert finder.lengths[0, 1, :2].tolist() == [1, 3]
    assert np.isinf(finder.distances[0, 1, 2:]).all()
