from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from distill_widgets.charts.series import Series


def test_what_fits_is_kept_as_it_is():
    series = Series(limit=8)
    assert not series.extend([1, 2, 3], [5, 6, 7])
    assert series.x.tolist() == [1, 2, 3]
    assert series.y.tolist() == [5, 6, 7]


def test_beyond_the_limit_extremes_stand_for_all():
    series = Series(limit=8)
    y = [0, 9, 1, 2, -5, 1, 1, 3, 4]
    assert series.extend(range(9), y)
    assert series.x.tolist() == [0, 1, 4, 7, 8]
    assert series.y.tolist() == [0, 9, -5, 3, 4]


@given(st.lists(st.integers(1, 400), min_size=1, max_size=12), st.integers(0, 5))
def test_peaks_and_dips_survive_in_order(chunks, seed):
    rng = np.random.default_rng(seed)
    series, everything = Series(limit=64), []
    for size in chunks:
        y = rng.normal(size=size)
        series.extend(np.arange(len(everything), len(everything) + size), y)
        everything += y.tolist()
    assert len(series) <= 64
    assert (np.diff(series.x) >= 0).all()
    waiting = len(everything) - 1 - series.x[-1] if len(series) else len(everything)
    shown = np.float32(everything[: len(everything) - int(waiting)])
    assert series.y.max() == shown.max()
    assert series.y.min() == shown.min()


def test_nan_is_neither_peak_nor_dip():
    series = Series(limit=4)
    series.extend(range(8), [np.nan, 1, 2, 3, np.nan, np.nan, np.nan, np.nan])
    assert series.y[:2].tolist() == [1, 3]
    assert np.isnan(series.y[2:]).all()


def test_as_many_x_as_y():
    with pytest.raises(ValueError, match="2 x and 1 y: expected as many of each"):
        Series().extend([1, 2], [1])


def test_the_mean_is_of_the_raw_points_however_often_they_are_thinned():
    rng = np.random.default_rng(0)
    y = rng.lognormal(size=40_000)  # its peaks are far from its mean
    series = Series(limit=64)
    for part in np.split(y, 40):
        series.extend(np.zeros(len(part)), part)
    whole = int(len(series) * series.weight)
    assert series.weight > 500
    assert abs(series.mean.mean() - y[:whole].mean()) < 0.01
    assert abs(series.y.mean() - y.mean()) > 1


def test_the_mean_leaves_nan_out():
    series = Series(limit=4)
    series.extend(range(8), [1, np.nan, 3, np.nan, np.nan, np.nan, np.nan, np.nan])
    assert series.mean[:2].tolist() == [2, 2]
    assert np.isnan(series.mean[2:]).all()


def test_what_is_too_large_for_single_precision_stays_drawable():
    series = Series()
    series.extend([0, 1, 2], [1e300, -math.inf, math.nan])
    assert np.isfinite(series.y[:2]).all()
    assert np.isnan(series.y[2])
