"""What a page and a report draw alike, although each works it out by itself."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

import distill_widgets
from distill_widgets.charts import drawing

from ..node_page import from_page

STYLE = Path(distill_widgets.__file__).parent / "page" / "style.css"


@pytest.mark.parametrize("weight", [0.0, 0.5, 0.9, 0.98])
def test_a_moving_average_is_the_same_on_a_page_and_in_a_report(weight):
    values = np.random.default_rng(3).normal(size=50).tolist()
    holed = [*values[:9], None, *values[9:]]
    page = f"{json.dumps(holed)}.map((v) => v ?? NaN)"
    [made] = from_page("charts/smoothing.js", f"it.smoothed({page}, {weight})")
    drawn = drawing._smoothed(np.array(holed, float), weight)
    np.testing.assert_allclose(np.array(made, float), drawn, rtol=1e-12)


@pytest.mark.parametrize("name", ["accent", "warn", "good", "ink"])
def test_a_report_prints_the_colours_of_a_light_page(name):
    declared = re.search(rf"--distill-{name}: ([^;]*);", STYLE.read_text())
    assert declared is not None
    assert drawing._PRINTED[f"var(--distill-{name})"] in declared[1]
