"""The page's half of the cursor protocol, as shipped, over a connection that loses and doubles."""

from __future__ import annotations

import base64
import random
from typing import Any

import pytest

from distill_widgets.charts.chart import Chart, cursor_of

from ..node_page import running_node

ACTS = ["append", "append", "push", "push", "lose", "deliver", "mark", "clear"]
SPEC_TRACES = [{"name": "a", "smooth": True}, {"name": "b"}]


@pytest.fixture(scope="module")
def node():
    with running_node() as running:
        yield running


@pytest.mark.parametrize("seed", range(12))
def test_the_page_ends_up_whole(node, seed):
    page = node.new_page()
    node.request("open", page, traces=SPEC_TRACES)
    chart, chance, pushed = Chart(SPEC_TRACES, {}, limit=32), random.Random(seed), [0, 0]
    queue: list[tuple[dict[str, Any], list[bytes]]] = []
    step, epoch = 0, ""

    def deliver(message: dict[str, Any], buffers: list[bytes]) -> bool:
        texts = [base64.b64encode(buffer).decode() for buffer in buffers]
        return node.request("take", page, message={**message, "seq": 1}, buffers=texts)

    for _ in range(40):
        act = chance.choice(ACTS)
        if act == "append":
            count = chance.randint(1, 9)
            values = [chance.random() for _ in range(count)]
            chart.append(chance.randint(0, 1), range(step, step + count), values)
            step += count
        elif act == "push":
            start = pushed if epoch == chart.epoch else [0, 0]
            queue.append(chart.since(start, with_marks=chance.random() < 0.5))
            pushed, epoch = chart.points, chart.epoch
        elif act == "lose" and queue:
            queue.pop(chance.randrange(len(queue)))
        elif act == "deliver" and queue:
            message, buffers = queue.pop(0)
            for _ in range(chance.randint(1, 2)):
                deliver(message, buffers)
        elif act == "mark":
            chart.mark({"shapes": [step]})
        elif act == "clear" and chance.random() < 0.2:
            chart.clear()
    had = node.request("state", page)
    same = had["epoch"] == chart.epoch
    cursor = [len(x) for x in had["x"]] if same else [0, 0]
    start = cursor_of({"cursor": cursor}, chart.points)
    assert deliver(*chart.since(start, with_marks=True))
    now, [a, b] = node.request("state", page), chart.figure()["data"]
    assert now["x"] == [a["x"], b["x"]]
    assert now["y"] == [a["y"], b["y"]]
    assert now["mean"] == [a["mean"], []]
    assert now["marks"] == max(chart.marks, had["marks"])
