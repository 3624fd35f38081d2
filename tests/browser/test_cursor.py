"""The page's half of the cursor protocol, as shipped, over a connection that loses and doubles."""

from __future__ import annotations

import base64
import random
from typing import Any

import pytest

from distill_widgets.charts.chart import Chart, cursor_of
from distill_widgets.page.page_code import page_code

ACTS = ["append", "append", "push", "push", "lose", "deliver", "mark", "clear"]
SPEC_TRACES = [{"name": "a", "smooth": True}, {"name": "b"}]
OPEN = """([code, spec]) => {
    const model = {get: (name) => ({spec, uid: 'u'})[name]};
    const make = new Function('model', code + '\\nreturn {store: newChart(model), take};');
    globalThis.page = make(model);
}"""
TAKE = """([message, texts]) => {
    const {store, take} = globalThis.page;
    const views = texts.map((text) => {
        const bytes = Uint8Array.from(atob('AA==' ) + atob(text), (c) => c.charCodeAt(0));
        return new DataView(bytes.buffer, 1);  // off alignment, as in a real message
    });
    return take(store, message, views);
}"""
STATE = """() => {
    const {x, y, mean, epoch, marks, layout} = globalThis.page.store;
    return {x, y, mean, epoch, marks, layout};
}"""


@pytest.mark.parametrize("seed", range(12))
def test_the_page_ends_up_whole(browser, seed):
    page = browser.new_page()
    code = page_code("charts/live_chart.js").replace("export default", "//")
    page.evaluate(OPEN, [code, {"traces": SPEC_TRACES, "layout": {}}])
    chart, chance, pushed = Chart(SPEC_TRACES, {}, limit=32), random.Random(seed), [0, 0]
    queue: list[tuple[dict[str, Any], list[bytes]]] = []
    step, epoch = 0, ""

    def deliver(message: dict[str, Any], buffers: list[bytes]) -> bool:
        texts = [base64.b64encode(buffer).decode() for buffer in buffers]
        return page.evaluate(TAKE, [{**message, "seq": 1}, texts])

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
    had = page.evaluate(STATE)
    same = had["epoch"] == chart.epoch
    cursor = [len(x) for x in had["x"]] if same else [0, 0]
    start = cursor_of({"cursor": cursor}, chart.points)
    assert deliver(*chart.since(start, with_marks=True))
    now, [a, b] = page.evaluate(STATE), chart.figure()["data"]
    assert now["x"] == [a["x"], b["x"]]
    assert now["y"] == [a["y"], b["y"]]
    assert now["mean"] == [a["mean"], []]
    assert now["marks"] == max(chart.marks, had["marks"])
    page.close()
