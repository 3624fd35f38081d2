"""A sound tried while a model trains: how soon it is there, and what that costs.

    python benchmarks/try_sound.py [--turns 3] [--every 10] [--lasts 60] [--after 60]
    python benchmarks/try_sound.py --where cell  # runner.try_sound, without a browser

A browser has the dashboard of a training open and chooses a file of 3 s, again and again; or a
program tries it, and measures its distances. Ten seconds that begin with a try and ten without take
turns, so that a machine that is slower for a while is so for both; what is compared is the mean
step of each. A page that was just opened is busy for a while: it is left alone first.
"""

from __future__ import annotations

import contextlib
import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from common import parser, recordings, report, save

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

if TYPE_CHECKING:
    from tests.browser.harness import Notebook

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


def step_times_ms(run: Path, since: int) -> tuple[list[float], int]:
    """Times of the steps from an event on, and the number of events by now."""
    from distill import RunFolder, VQStepMetrics

    events = RunFolder(run).read_events()[0]
    steps = [event for event in events[since:] if isinstance(event, VQStepMetrics)]
    times = [b.elapsed_s - a.elapsed_s for a, b in itertools.pairwise(steps) if a.epoch == b.epoch]
    return [1000 * taken for taken in times], len(events)


def turn(try_it: Callable[[], float], run: Path, lasts_s: float, every_s: float) -> dict[str, Any]:
    """So many seconds of stretches with one try each, and after each as long a one without."""
    took, with_tries, without = [], [], []
    _, since = step_times_ms(run, 0)
    for _ in range(max(1, round(lasts_s / every_s))):
        for tries, steps in ((True, with_tries), (False, without)):
            ends = time.monotonic() + every_s
            if tries:
                took.append(try_it())
            time.sleep(max(0.0, ends - time.monotonic()))
            times, since = step_times_ms(run, since)
            steps += times
    without_ms, with_ms = statistics.mean(without), statistics.mean(with_tries)
    return {
        "step ms": without_ms,
        "trying": with_ms,
        "slower": with_ms / without_ms,
        "tries": len(took),
        "heard s": statistics.median(took),
        "latest s": max(took),
    }


@contextlib.contextmanager
def in_a_dashboard(home: Path) -> Iterator[tuple[Path, Callable[[], float]]]:
    """A run that is trained, and what tries the sound in its dashboard."""
    from tests.browser.harness import Notebook, chromium, serve

    with serve(home) as server, chromium() as browser, training(server.folder / "run"):
        run, file = server.folder / "run", sound(server.folder)
        notebook = Notebook(server, browser, "try.ipynb", [CELL.format(run=str(run))], "lab")
        notebook.run_all()
        notebook.wait_for("[data-name=Loss]", "points", 10)
        notebook.page.locator(".distill-fold").click()
        notebook.page.locator(f"{TRIAL} input[type=file]").wait_for()
        yield run, lambda: heard(notebook, file)
        notebook.close()


@contextlib.contextmanager
def in_a_cell(home: Path) -> Iterator[tuple[Path, Callable[[], float]]]:
    """A run that is trained, and what tries the sound from this program."""
    with training(home / "run") as runner:
        file = sound(home)

        def there() -> float:
            began = time.monotonic()
            tried = runner.try_sound(file)
            taken = time.monotonic() - began
            assert tried.distances
            return taken

        while runner.history.step_count < 10:
            time.sleep(0.5)
        yield home / "run", there


@contextlib.contextmanager
def training(run: Path) -> Iterator[Any]:
    """A training that goes on for as long as it is looked at."""
    from distill import TrainingRunner, get_adaptive_vqvae_config

    runner, files = TrainingRunner(), recordings()
    config = get_adaptive_vqvae_config(len(files), max_steps=1_000_000)
    runner.start_vqvae(config, files, run, "cpu")
    try:
        yield runner
    finally:
        runner.stop(now=True)
        runner.wait(120, progress=False)
        runner.close()


WHERE = {"dashboard": in_a_dashboard, "cell": in_a_cell}


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--where", choices=WHERE, default="dashboard")
    options.add_argument("--turns", type=int, default=3)
    options.add_argument("--every", type=float, default=10.0, help="seconds of a stretch")
    options.add_argument("--lasts", type=float, default=60.0, help="seconds of trying in a turn")
    options.add_argument(
        "--after", type=float, default=60.0, help="seconds a page is left alone first"
    )
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as home, WHERE[given.where](Path(home)) as (run, try_it):
        first = try_it()
        time.sleep(given.after)
        rows = [turn(try_it, run, given.lasts, given.every) for _ in range(given.turns)]
    report(f"A sound of 3 s, tried in a {given.where} while a model trains", rows, given.json)
    later = statistics.median(row["heard s"] for row in rows)
    slower = statistics.median(row["slower"] for row in rows)
    print(f"the first try was heard after {first:.2f} s (it loads what the others find loaded)")
    print(f"median heard after {later:.2f} s (at most 1)")
    print(f"median slower {slower:.3f} (at most 1.02)")
    save(given, {"heard_s": later, "first_s": first, "slower": slower})


if __name__ == "__main__":
    main()
