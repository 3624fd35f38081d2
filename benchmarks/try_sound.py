"""A sound tried in a dashboard while a model trains: how soon it is heard, and what that costs.

    python benchmarks/try_sound.py [--turns 3] [--every 10] [--lasts 60]

A browser has the dashboard of a training open and chooses a file of 3 s, again and again. Minutes
of trying and minutes without take turns; what is compared is the mean step of each.
"""

from __future__ import annotations

import itertools
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from common import parser, recordings, report, save

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

from tests.browser.harness import Notebook, chromium, serve  # noqa: E402

SECONDS, RATE = 3, 48_000
TRIAL = ".distill-trial"
CELL = """
import distill_widgets
dashboard = distill_widgets.TrainingDashboard({run!r})
dashboard
"""


def sound(folder: Path) -> Path:
    """Three seconds that no recording has."""
    from distill import write_audio

    noise = torch.randn(SECONDS * RATE, generator=torch.Generator().manual_seed(1))
    fall = torch.linspace(4, 0, SECONDS * RATE).exp() / 60
    return write_audio(folder / "mine.wav", (0.5 * noise * fall).clamp(-1, 1), RATE)


def heard(notebook: Notebook, file: Path) -> float:
    """Seconds from a file that is chosen to what the model makes of it, playing."""
    notebook.page.evaluate(f"() => delete document.querySelector('{TRIAL}').dataset.heardMs")
    notebook.page.locator(f"{TRIAL} input[type=file]").set_input_files(file)
    taken = float(notebook.wait_for(TRIAL, "heardMs")) / 1000
    notebook.wait_for(TRIAL, "busy", "false")
    return taken


def window(notebook: Notebook, file: Path | None, lasts_s: float, every_s: float) -> list[float]:
    """Passes some time, trying or not; how long each try took to be heard."""
    ends, took = time.monotonic() + lasts_s, []
    while (left := ends - time.monotonic()) > 0:
        began = time.monotonic()
        if file is not None:
            took.append(heard(notebook, file))
        rest = min(left, every_s) - (time.monotonic() - began)
        notebook.page.wait_for_timeout(1000 * max(0.0, rest))
    return took


def mean_step_ms(run: Path, since: int) -> tuple[float, int]:
    """Mean time of a step from an event on, and the number of events by now."""
    from distill import RunFolder, VQStepMetrics

    events = RunFolder(run).read_events()[0]
    steps = [event for event in events[since:] if isinstance(event, VQStepMetrics)]
    times = [b.elapsed_s - a.elapsed_s for a, b in itertools.pairwise(steps) if a.epoch == b.epoch]
    return 1000 * statistics.mean(times), len(events)


def turn(
    notebook: Notebook, run: Path, file: Path, lasts_s: float, every_s: float
) -> dict[str, Any]:
    row: dict[str, Any] = {}
    _, since = mean_step_ms(run, 0)
    window(notebook, None, lasts_s, lasts_s)
    row["step ms"], since = mean_step_ms(run, since)
    took = window(notebook, file, lasts_s, every_s)
    row["trying"], since = mean_step_ms(run, since)
    window(notebook, None, lasts_s, lasts_s)
    row["after"], _ = mean_step_ms(run, since)
    row["slower"] = row["trying"] / ((row["step ms"] + row["after"]) / 2)
    row["tries"], row["heard s"], row["latest s"] = len(took), statistics.median(took), max(took)
    return row


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--turns", type=int, default=3)
    options.add_argument("--every", type=float, default=10.0, help="seconds from try to try")
    options.add_argument("--lasts", type=float, default=60.0, help="seconds of trying in a turn")
    given = options.parse_args()
    from distill import TrainingRunner, get_adaptive_vqvae_config

    files = recordings()
    runner = TrainingRunner()
    with tempfile.TemporaryDirectory() as home, serve(Path(home)) as server, chromium() as browser:
        run, file = server.folder / "run", sound(server.folder)
        config = get_adaptive_vqvae_config(len(files), max_steps=1_000_000)
        runner.start_vqvae(config, files, run, "cpu")
        try:
            notebook = Notebook(server, browser, "try.ipynb", [CELL.format(run=str(run))], "lab")
            notebook.run_all()
            notebook.wait_for("[data-name=Loss]", "points", 10)
            notebook.page.locator(".distill-fold").click()
            notebook.page.locator(f"{TRIAL} input[type=file]").wait_for()
            first = heard(notebook, file)
            rows = [turn(notebook, run, file, given.lasts, given.every) for _ in range(given.turns)]
            notebook.close()
        finally:
            runner.stop(now=True)
            runner.wait(120, progress=False)
            runner.close()
    report("A sound of 3 s, tried while a model trains", rows, given.json)
    later = statistics.median(row["heard s"] for row in rows)
    slower = statistics.median(row["slower"] for row in rows)
    print(f"the first try was heard after {first:.2f} s (it loads what the others find loaded)")
    print(f"median heard after {later:.2f} s (at most 1)")
    print(f"median slower {slower:.3f} (at most 1.02)")
    save(given, {"heard_s": later, "first_s": first, "slower": slower})


if __name__ == "__main__":
    main()
