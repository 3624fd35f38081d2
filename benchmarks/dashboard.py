"""What a dashboard costs: traffic, time to paint, memory, and the training beside it.

    python benchmarks/dashboard.py [--parts traffic,drawing,memory,training]

A real JupyterLab, a real kernel and a headless Chromium on the same two cores, which is the worst
place for it: nobody's browser draws on the cores that train without a GPU of its own to help.
"""

from __future__ import annotations

import itertools
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import nbformat  # noqa: E402
from common import parser, recordings, report, save  # noqa: E402
from nbclient import NotebookClient  # noqa: E402
from pretend_trainer import begin  # noqa: E402

from tests.browser.harness import Notebook, Server, chromium, serve  # noqa: E402

LOSS = "[data-name=Loss]"
OURS = """
import distill_widgets
dashboard = distill_widgets.TrainingDashboard({run!r})
dashboard
"""
# The same two charts as FigureWidgets, updated twice a second by a thread.
THEIRS = """
import threading, time, ipywidgets, plotly.graph_objects as go
from distill import TrainingRunner
from distill.config import VQVAEConfig
from distill.family import family
from distill_widgets.charts.curves import Curves, health_chart, loss_chart
from distill_widgets.charts.drawing import printed
runner = TrainingRunner.attach({run!r})
about = family("vqvae"), VQVAEConfig(levels=3)
charts = loss_chart(about[0]), health_chart(*about)
curves = Curves(*charts, *about)

def plain(chart):
    figure = printed(chart.figure())
    for trace in figure["data"]:
        for ours in ("smooth", "mean", "weight"):
            trace.pop(ours, None)
    for axis in figure["layout"].values():
        if isinstance(axis, dict):
            axis.pop("loggable", None)
    return figure

widgets = [go.FigureWidget(plain(chart)) for chart in charts]

def follow():
    while True:
        time.sleep(0.5)
        curves.update(runner.history)
        for chart, widget in zip(charts, widgets):
            with widget.batch_update():
                for new, trace in zip(plain(chart)["data"], widget.data):
                    trace.x, trace.y = new["x"], new["y"]

threading.Thread(target=follow, daemon=True).start()
ipywidgets.VBox(widgets)
"""


class Traffic:
    """Bytes of the websocket between kernel and page, both ways."""

    def __init__(self, page: Any) -> None:
        self.bytes = 0
        page.on("websocket", self._listen)

    def _listen(self, socket: Any) -> None:
        socket.on("framereceived", self._count)
        socket.on("framesent", self._count)

    def _count(self, payload: Any) -> None:
        self.bytes += len(payload)

    def during(self, page: Any, seconds: float) -> float:
        """Bytes in the next seconds."""
        before = self.bytes
        page.wait_for_timeout(1000 * seconds)
        return self.bytes - before


@contextmanager
def pretended(run: Path, steps: int, pace: float) -> Iterator[subprocess.Popen[bytes]]:
    begin(run)
    script = str(ROOT / "benchmarks" / "pretend_trainer.py")
    process = subprocess.Popen([sys.executable, script, str(run), str(steps), str(pace)])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def painted(notebook: Notebook, selector: str) -> None:
    notebook.page.wait_for_function(
        f"() => document.querySelectorAll('{selector} .scatterlayer path.js-line').length >= 2",
        timeout=120_000,
    )


def traffic(server: Server, browser: Any, cell: str, name: str, selector: str) -> dict[str, Any]:
    """A page that opens, stays half a minute, and is reloaded; 12 steps a second."""
    run = server.folder / f"traffic-{name}"
    with pretended(run, 100_000, 12):
        notebook = Notebook(server, browser, f"{name}.ipynb", [cell.format(run=str(run))], "lab")
        page = notebook.page
        page.wait_for_timeout(12_000)  # a kernel's own beginning is not what is measured
        count = Traffic(page)
        page.reload()
        notebook.goto(page)
        page.wait_for_timeout(4000)
        idle = count.bytes
        began = time.monotonic()
        notebook.run_all()
        painted(notebook, selector)
        opened = time.monotonic() - began
        page.wait_for_timeout(3000)
        opening = count.bytes - idle
        rates = [count.during(page, 5) / 5 for _ in range(6)]
        notebook.save()
        before = count.bytes
        notebook.goto(page)
        began = time.monotonic()
        try:
            painted(notebook, selector)
            again: float | str = time.monotonic() - began
        except Exception:
            again = "never"
        page.wait_for_timeout(3000)
        reloaded = (count.bytes - before) / 1e3
        notebook.close()
    return {
        "dashboard": name, "KB at open": opening / 1e3, "s to painted, kernel included": opened,
        "KB/s first 5 s": rates[0] / 1e3, "KB/s after 30 s": rates[-1] / 1e3,
        "KB after reload": reloaded, "s to painted after reload": again,
        "executed notebook KB": executed_kb(cell.format(run=str(run))),
    }  # fmt: skip


def executed_kb(cell: str) -> float:
    """What nbconvert would keep of it: nbclient saves the state of all widgets."""
    document = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
    NotebookClient(document, timeout=120, kernel_name="python3").execute()
    return len(nbformat.writes(document)) / 1e3


def drawing(server: Server, browser: Any) -> dict[str, Any]:
    """Plotly's own extendTraces, and a redraw of ours, at 4 traces of 20 000 points."""
    cell = """
    import numpy as np
    from distill_widgets import LiveChart
    chart = LiveChart([{"name": str(i)} for i in range(4)], {"xaxis": {}, "yaxis": {}},
                      name="Loss", limit=LIMIT)
    for i in range(4):
        chart.append(i, np.arange(20_000), np.random.default_rng(i).normal(size=20_000).cumsum())
    chart
    """
    row: dict[str, Any] = {}
    for limit, name in ((100_000, "all points"), (4096, "thinned to 4096")):
        notebook = Notebook(
            server, browser, f"draw{limit}.ipynb", [cell.replace("LIMIT", str(limit))], "lab"
        )
        notebook.run_all()
        painted(notebook, LOSS)
        notebook.page.wait_for_timeout(3000)
        times = notebook.page.evaluate(
            """async () => {
                const box = document.querySelector('[data-name=Loss] .js-plotly-plot');
                const plotly = await globalThis.__distill.plotly.loaded, times = [];
                for (let k = 0; k < 15; k += 1) {
                    const began = performance.now(), x = 20_000 + k;
                    await plotly.extendTraces(box,
                        {x: [[x], [x], [x], [x]], y: [[0], [0], [0], [0]]}, [0, 1, 2, 3]);
                    times.push(performance.now() - began);
                }
                return times;
            }"""
        )
        row[f"extendTraces ms, {name}"] = statistics.median(times)
        notebook.close()
    return row


def memory_kb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return float(line.split()[1])
    return 0.0


def memory(server: Server, browser: Any, updates: int) -> list[dict[str, Any]]:
    """Kernel and page while a run writes events far faster than any training."""
    run = server.folder / "memory"
    cell = "import os; print('pid', os.getpid())" + OURS.format(run=str(run))
    rows = []
    with pretended(run, updates, updates / 100):
        notebook = Notebook(server, browser, "memory.ipynb", [cell], "lab")
        notebook.run_all()
        page = notebook.page
        page.wait_for_function("() => document.body.innerText.includes('pid ')", timeout=60_000)
        pid = int(notebook.output().split("pid ")[1].split()[0])
        for share in (0.25, 0.5, 0.75, 1.0):
            notebook.wait_for(".distill-head", "step", int(share * updates), timeout_s=200)
            page.wait_for_timeout(2500)
            heap = page.evaluate("() => { gc(); return performance.memory.usedJSHeapSize / 1e6; }")
            points = notebook.read(LOSS, "points")
            rows.append(
                {"updates": int(share * updates), "page heap MB": heap,
                 "kernel MB": memory_kb(pid) / 1e3, "points on the page": int(points)}
            )  # fmt: skip
        notebook.close()
    return rows


def training(server: Server, browser: Any, turns: int, steps: int) -> list[dict[str, Any]]:
    """A step of a real training: nobody watches, JupyterLab is open, a dashboard is open in it."""
    from distill import AudioCorpus, TrainingRunner, VQVAEConfig

    corpus = AudioCorpus.scan(recordings(), progress=False)
    config = VQVAEConfig(max_steps=steps, min_steps_per_epoch=steps, preview_every_epochs=0)
    rows = []
    for turn in range(turns):
        row: dict[str, Any] = {"turn": turn}
        kinds = ["none", "lab", "dashboard"]
        for kind in kinds[turn % 3 :] + kinds[: turn % 3]:
            run = server.folder / f"training-{turn}-{kind}"
            runner = TrainingRunner()
            runner.start_vqvae(config, corpus, run, "cpu")
            notebook = None
            if kind != "none":
                cell = OURS.format(run=str(run)) if kind == "dashboard" else "1"
                notebook = Notebook(server, browser, f"t{turn}{kind}.ipynb", [cell], "lab")
                notebook.run_all()
            while runner.is_running:
                if notebook is not None:
                    notebook.page.wait_for_timeout(250)
                else:
                    time.sleep(0.25)
            runner.close()
            if notebook is not None:
                notebook.close()
            row[f"{kind} ms"], row[f"{kind} mean"] = late_step_ms(run)
        for other in ("none", "lab"):
            row[f"dashboard / {other}"] = row["dashboard ms"] / row[f"{other} ms"]
            row[f"mean / {other}"] = row["dashboard mean"] / row[f"{other} mean"]
        rows.append(row)
    return rows


def late_step_ms(run: Path) -> tuple[float, float]:
    """Median and mean step of the second half: by then page and kernel are up."""
    from distill import RunFolder, VQStepMetrics

    events = [e for e in RunFolder(run).read_events()[0] if isinstance(e, VQStepMetrics)]
    pairs = list(itertools.pairwise(events[len(events) // 2 :]))
    times = [1e3 * (b.elapsed_s - a.elapsed_s) for a, b in pairs if a.epoch == b.epoch]
    return statistics.median(times), statistics.mean(times)


def traffic_figures(ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, float]:
    """What pages quote of it; sizes in MB, but rates in KB a second."""
    return {
        f"{name}_{who}": row[column] / (1 if column.startswith(("s ", "KB/s")) else 1e3)
        for who, row in (("ours", ours), ("theirs", theirs))
        for name, column in (
            ("painted_s", "s to painted, kernel included"), ("open_mb", "KB at open"),
            ("rate_kb", "KB/s after 30 s"), ("reload_mb", "KB after reload"),
            ("executed_mb", "executed notebook KB"),
        )
    }  # fmt: skip


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--parts", default="traffic,drawing,memory,training")
    options.add_argument("--turns", type=int, default=6)
    options.add_argument("--steps", type=int, default=300)
    options.add_argument("--updates", type=int, default=100_000)
    arguments = options.parse_args()
    parts = arguments.parts.split(",")
    with tempfile.TemporaryDirectory() as home, serve(Path(home)) as server, chromium() as browser:
        if "traffic" in parts:
            rows = [
                traffic(server, browser, OURS, "ours", LOSS),
                traffic(server, browser, THEIRS, "FigureWidgets", ".js-plotly-plot"),
            ]
            report("A dashboard in a page, beside the same charts as FigureWidgets", rows)
            save(arguments, traffic_figures(*rows), "-traffic")
        if "drawing" in parts:
            report("Drawing 4 × 20 000 points", [drawing(server, browser)])
        if "memory" in parts:
            report("Memory over many updates", memory(server, browser, arguments.updates))
        if "training" in parts:
            rows = training(server, browser, arguments.turns, arguments.steps)
            report("A training step with a dashboard open", rows, arguments.json)
            for name in ("dashboard / none", "dashboard / lab", "mean / none", "mean / lab"):
                ratio = statistics.median(row[name] for row in rows)
                print(f"median {name} {ratio:.3f} (to stay at or below 1.01)")
            median, mean = (
                statistics.median(row[name] for row in rows)
                for name in ("dashboard / none", "mean / none")
            )
            save(arguments, {"median": median, "mean": mean}, "-training")


if __name__ == "__main__":
    main()
