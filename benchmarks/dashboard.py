"""What a dashboard costs: traffic, time to paint, memory, and the training beside it.

    python benchmarks/dashboard.py [--parts traffic,drawing,memory,training]

A real JupyterLab, a real kernel and a headless Chromium on the same two cores, which is the worst
place for it: nobody's browser draws on the cores that train without a GPU of its own to help.
"""

from __future__ import annotations

import itertools
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import nbformat  # noqa: E402
import psutil  # noqa: E402
from common import parser, recordings, report, save  # noqa: E402
from nbclient import NotebookClient  # noqa: E402
from pretend_trainer import begin  # noqa: E402

from tests.browser.harness import Notebook, Server, chromium, serve  # noqa: E402

LOSS = "[data-name=Loss]"
WARM_UP_S, SETTLE_S, SPARE_S = 60.0, 20.0, 120.0
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


def training(server: Server, browser: Any, turns: int, seconds: float) -> list[dict[str, Any]]:
    """A step of one real training with its dashboard open in JupyterLab, in turn with all stopped
    that shows it: browser, server and kernel. So both are of the same minutes of the machine.
    """
    run, rows = server.folder / "training", []
    with trained(run, WARM_UP_S + 2 * turns * (SETTLE_S + seconds) + SPARE_S):
        cell = OURS.format(run=str(run))
        notebook = Notebook(server, browser, "training.ipynb", [cell], "lab")
        notebook.run_all()
        notebook.wait_for(LOSS, "points", 10)
        time.sleep(WARM_UP_S)  # charts move more often at first
        for turn in range(turns):
            row: dict[str, Any] = {"turn": turn}
            for half in ("open", "stopped") if turn % 2 == 0 else ("stopped", "open"):
                with stopped() if half == "stopped" else nullcontext():
                    row[f"{half} ms"], row[f"{half} cores"] = of_the_next(run, seconds)
            rows.append({**row, "ratio": row["open ms"] / row["stopped ms"]})
            print(rows[-1], flush=True)
        notebook.close()
    return rows


@contextmanager
def trained(run: Path, longest_s: float) -> Iterator[None]:
    """A training for as long as it is looked at."""
    from distill import AudioCorpus, TrainingRunner, VQVAEConfig

    corpus = AudioCorpus.scan(recordings(), progress=False)
    config = VQVAEConfig(max_seconds=longest_s, min_steps_per_epoch=200, preview_every_epochs=0)
    runner = TrainingRunner()
    runner.start_vqvae(config, corpus, run, "cpu")
    try:
        yield
    finally:
        runner.stop(now=True)
        runner.wait(120, progress=False)
        runner.close()


def showing() -> list[psutil.Process]:
    """What has been started here, without the trainer and what that has started."""
    found = []
    left = psutil.Process().children()
    while left:
        process = left.pop()
        with suppress(psutil.Error):
            if not any("training.worker" in word for word in process.cmdline()):
                found.append(process)
                left += process.children()
    return found


@contextmanager
def stopped() -> Iterator[None]:
    """All that shows a run sleeps meanwhile."""
    processes = showing()
    try:
        _send(processes, signal.SIGSTOP)
        yield
    finally:
        _send(processes, signal.SIGCONT)


def of_the_next(run: Path, seconds: float) -> tuple[float, float]:
    """Mean step in ms, and the cores that go into showing it, from when what has waited meanwhile
    is shown.
    """
    from distill import RunFolder, VQStepMetrics

    time.sleep(SETTLE_S)
    since, before, began = len(RunFolder(run).read_events()[0]), _cpu_s(), time.monotonic()
    time.sleep(seconds)
    cores = (_cpu_s() - before) / (time.monotonic() - began)
    new = RunFolder(run).read_events()[0][since:]
    steps = [event for event in new if isinstance(event, VQStepMetrics)]
    times = [b.elapsed_s - a.elapsed_s for a, b in itertools.pairwise(steps) if a.epoch == b.epoch]
    return 1000 * statistics.mean(times), cores


def _send(processes: list[psutil.Process], number: int) -> None:
    for process in processes:
        with suppress(psutil.Error):
            process.send_signal(number)


def _cpu_s() -> float:
    """Of all that shows a run."""
    found = 0.0
    for process in showing():
        with suppress(psutil.Error):
            found += sum(process.cpu_times()[:2])
    return found


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
    options.add_argument("--seconds", type=float, default=30.0, help="of each half of a turn")
    options.add_argument("--updates", type=int, default=100_000)
    arguments = options.parse_args()
    parts = arguments.parts.split(",")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # nothing stays behind, or stopped
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
            rows = training(server, browser, arguments.turns, arguments.seconds)
            report("A training step with a dashboard open", rows, arguments.json)
            ratio, cores = (
                statistics.median(row[name] for row in rows) for name in ("ratio", "open cores")
            )
            print(f"median ratio {ratio:.3f} (to stay at or below 1.01), cores {cores:.3f}")
            save(arguments, {"ratio": ratio, "cores": cores}, "-training")


if __name__ == "__main__":
    main()
