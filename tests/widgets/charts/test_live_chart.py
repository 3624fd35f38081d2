from __future__ import annotations

import json
import time

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from distill_widgets import LiveChart
from distill_widgets.page.live_widget import WATCHED_S
from distill_widgets.page.plotly_js import plotly_js_gz

from ..node_page import say


@pytest.fixture
def chart():
    made = LiveChart(
        [{"name": "a"}, {"name": "b", "smooth": True}], {"xaxis": {}}, name="Loss", limit=32
    )
    yield made
    made.close()


def test_nothing_is_sent_before_a_page_asks(chart):
    chart.append(0, [1, 2], [1, 2])
    chart.push()
    assert chart.comm.custom == []


def test_a_page_gets_what_there_is_and_then_what_is_new(chart, open_page):
    chart.append(0, [1, 2], [5, 6])
    page = open_page(chart)
    page.sync()
    page.take_all()
    assert page.x == [[1, 2], []]
    chart.append(0, [3], [7])
    chart.append(1, [3], [8])
    chart.push()
    message, buffers = page.arrived()[0]
    assert message["parts"] == [[0, 2], [1, 0]] or message["parts"] == [[0, 0], [1, 0]]
    page.take(message, buffers)
    assert page.y == [[5, 6, 7], [8]]
    chart.push()
    assert page.arrived() == []


def test_only_what_is_new_is_pushed(chart, open_page):
    page = open_page(chart)
    page.sync()
    for step in range(20):
        chart.append(0, [step], [step])
        chart.push()
    sizes = [sum(map(len, buffers)) for _, buffers in page.arrived()[-10:]]
    assert sizes == [8] * 10


def test_a_sync_with_nothing_missing_is_not_answered(chart, open_page):
    chart.append(0, [1], [1])
    page = open_page(chart)
    page.sync()
    page.take_all()
    page.sync()
    assert page.arrived() == []


def test_a_page_that_is_gone_gets_nothing(chart, monkeypatch, open_page):
    page = open_page(chart)
    page.sync()
    assert chart.is_watched
    later = time.monotonic() + WATCHED_S + 1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    page.take_all()
    chart.append(0, [1], [1])
    chart.push()
    assert page.arrived() == []
    page.sync()
    page.take_all()
    assert page.x[0] == [1]


def test_marks_replace_one_another_and_arrive_once(chart, open_page):
    page = open_page(chart)
    chart.chart.mark({"shapes": [1]})
    page.sync()
    page.take_all()
    assert page.layout == {"shapes": [1]}
    chart.chart.mark({"shapes": [1]})
    chart.push()
    assert page.arrived() == []
    chart.chart.mark({"shapes": [2]})
    chart.push()
    page.take_all()
    assert page.layout == {"shapes": [2]}


def test_clearing_and_thinning_begin_a_new_epoch(chart, open_page):
    page = open_page(chart)
    chart.append(0, range(30), range(30))
    page.sync()
    page.take_all()
    before = page.epoch
    chart.append(0, range(30, 40), range(30, 40))
    chart.push()
    page.take_all()
    assert page.epoch != before
    assert len(page.x[0]) == chart.points[0] <= 32
    chart.chart.clear()
    chart.push()
    page.take_all()
    assert page.x == [[], []]


Acts = st.lists(
    st.sampled_from(["append", "push", "lose", "twice", "sync", "clear", "mark", "take"]),
    max_size=60,
)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)
@given(acts=Acts)
def test_whatever_is_lost_or_doubled_a_sync_makes_it_whole(acts, open_page):
    chart = LiveChart([{}, {"smooth": True}], {}, limit=16)
    page, step = open_page(chart), 0
    for act in acts:
        if act == "append":
            chart.append(step % 2, [step, step + 1], [step, -step])
            step += 2
        elif act == "push":
            chart.push()
        elif act == "lose":
            page.arrived()
        elif act == "twice":
            for message, buffers in page.arrived():
                page.take(message, buffers)
                page.take(message, buffers)
        elif act == "sync":
            page.sync()
        elif act == "clear":
            chart.chart.clear()
        elif act == "mark":
            chart.chart.mark({"shapes": [step]})
        else:
            page.take_all()
    page.take_all()
    page.sync()
    page.take_all()
    figure = chart.chart.figure()
    assert page.x == [trace["x"] for trace in figure["data"]]
    assert page.y == [trace["y"] for trace in figure["data"]]
    assert page.mean == [[], figure["data"][1]["mean"]]
    assert page.marks == chart.chart.marks
    chart.close()


def test_two_pages_are_served_by_the_same_messages(chart, open_page):
    one, two = open_page(chart), open_page(chart)
    one.sync()
    two.sync()
    chart.append(0, [1, 2], [1, 2])
    chart.push()
    one.take_all()
    two.take_all()
    assert one.x == two.x == [[1, 2], []]


@pytest.mark.parametrize("cursor", [None, [1], ["a", 0], [-1, 0], [99, 0], {"a": 1}])
def test_a_page_that_says_nonsense_gets_everything(chart, cursor):
    chart.append(0, [1, 2], [1, 2])
    say(chart, {"type": "sync", "cursor": cursor, "epoch": chart.chart.epoch, "marks": 0})
    [(message, _)] = chart.comm.custom
    assert message["parts"] == [[0, 0]]


@pytest.mark.parametrize("content", [{}, {"type": "unknown"}, "text", None, 3])
def test_what_is_not_for_us_is_ignored(chart, content):
    say(chart, content)
    assert chart.comm.custom == []


def test_plotly_is_sent_when_asked_for(chart):
    say(chart, {"type": "plotly"})
    [(message, [packed])] = chart.comm.custom
    assert message == {"type": "plotly"}
    assert packed == plotly_js_gz()
    assert len(packed) < 2_000_000
    for _ in range(20):  # they have waited together behind a busy kernel
        say(chart, {"type": "plotly"})
    assert len(chart.comm.custom) == 1


def test_what_opens_is_small(chart):
    state = {name: chart.get_state(name)[name] for name in chart.keys}
    state.pop("layout")
    assert len(json.dumps(state)) < 30_000


def test_the_figure_is_json_and_has_null_for_nan(chart):
    chart.append(0, [1, 2], [float("nan"), float("inf")])
    text = json.dumps(chart.chart.figure(), allow_nan=False)
    unknown, largest = json.loads(text)["data"][0]["y"]
    assert unknown is None and largest > 1e38


def test_repr(chart):
    chart.append(0, [1], [1])
    assert repr(chart) == "LiveChart of Chart(Loss; points a: 1, b: 0)"
