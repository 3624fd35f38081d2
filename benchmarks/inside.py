"""Looking inside a model, in a real browser: bytes at opening, a click to its sound, scrolling.

python benchmarks/inside.py
python benchmarks/inside.py --model choir.distill
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from common import parser, report, save
from playwright.sync_api import Error

from distill import AudioCorpus, VQVAEConfig, make_demo_corpus, train_vqvae

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.browser.harness import Notebook, chromium, serve

MINUTES, CLICKS, CLICK_LIMIT_MS, BYTES_LIMIT = 10, 40, 150, 200_000
CODES, EXPLORER = ".distill-codes", ".distill-explorer"
CELLS = """\
from distill import *
from distill_widgets import *
model = load_model_v2("{model}")
corpus = AudioCorpus.scan("{sounds}", progress=False)
sounds = torch.cat(list(corpus.waveforms))
long = sounds.repeat({minutes} * 60 * corpus.sample_rate // len(sounds) + 1)
CodesView(model, (long[: {minutes} * 60 * corpus.sample_rate], corpus.sample_rate), name="long")
"""
SCROLL = """async () => {
    const box = document.querySelector('.distill-grid-scroll');
    const view = document.querySelector('.distill-codes'), times = [], draws = [];
    let last = performance.now();
    for (let frame = 0; frame < 240; frame += 1) {
        box.scrollLeft += 300;
        await new Promise(requestAnimationFrame);
        const now = performance.now();
        times.push(now - last);
        draws.push(Number(view.dataset.drawMs));
        last = now;
    }
    return [times, draws];
}"""


def trained(sounds: Path, folder: Path) -> Path:
    """3 × 256 entries, learned for a moment: clicks take the same time after an hour."""
    config = VQVAEConfig(
        stride=2, levels=3, codebook_size=256, max_steps=60, preview_every_epochs=0
    )
    corpus = AudioCorpus.scan(sounds, progress=False)
    return train_vqvae(config, corpus, folder / "run", "cpu").model_path


def opened(book: Notebook, selector: str, ready: str) -> int:
    """Bytes a page gets until a widget that exists is drawn anew, after a reload."""
    try:
        book.wait_for(selector, ready, timeout_s=90)
    except Error:
        raise SystemExit(book.output()) from None
    book.save()
    sizes: list[int] = []
    book.page.on(
        "websocket", lambda socket: socket.on("framereceived", lambda f: sizes.append(len(f)))
    )
    book.goto(book.page)
    book.wait_for(selector, ready)
    book.page.wait_for_timeout(1500)
    return sum(sizes)


def clicks(book: Notebook, selector: str, press: Callable[[int], str]) -> list[float]:
    """Milliseconds from each press to the sound that is heard."""
    times = []
    for number in range(CLICKS):
        key = press(number)
        book.wait_for(selector, "heard", key)
        times.append(float(book.read(selector, "clickMs")))
    return times


def codes_rows(book: Notebook) -> list[dict[str, Any]]:
    size = opened(book, CODES, "drawn")
    canvas = book.page.locator(".distill-grid-canvas")
    wide = float(book.read(CODES, "cellPx"))

    def press(number: int) -> str:
        level, step = number % 3, number
        canvas.click(position={"x": (step + 0.5) * wide, "y": 24 + 34 * level + 17})
        return f"cell/{level}/{step}"

    first, *times = clicks(book, CODES, press)
    frames, draws = book.page.evaluate(SCROLL)
    frames = sorted(frames)
    return [
        row(f"bytes to open {MINUTES} minutes of codes", size, BYTES_LIMIT),
        row("ms from the first click on a cell to its sound", first),
        row(f"ms, median of {len(times)} more cells", statistics.median(times), CLICK_LIMIT_MS),
        row("ms, the slowest of them", max(times)),
        row("ms a frame while scrolling, median of 240", statistics.median(frames)),
        row("ms a frame, the 95th of 100", frames[int(0.95 * len(frames))]),
        row("ms of a frame that drawing takes, median", statistics.median(draws)),
    ]


def explorer_rows(book: Notebook) -> list[dict[str, Any]]:
    size = opened(book, EXPLORER, "drawn")
    book.page.locator(EXPLORER).focus()

    def press(_number: int) -> str:
        before = book.read(EXPLORER, "asked")
        book.page.keyboard.press("ArrowRight")
        book.page.wait_for_function(
            f"() => document.querySelector('{EXPLORER}').dataset.asked !== '{before}'"
        )
        return book.read(EXPLORER, "asked")

    first, *times = clicks(book, EXPLORER, press)
    return [
        row("bytes to open a codebook explorer again, plotly.js kept", size),
        row("ms from the first entry chosen to its sound", first),
        row(f"ms, median of {len(times)} more entries", statistics.median(times), CLICK_LIMIT_MS),
        row("ms, the slowest of them", max(times)),
    ]


def row(what: str, value: float, limit: int | str = "") -> dict[str, Any]:
    return {"what": what, "measured": round(value, 1), "limit": limit}


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--model", type=Path, help="default: one of 3 × 256, trained for a moment")
    arguments = options.parse_args()
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        home, sounds = Path(folder), Path(folder, "sounds")
        make_demo_corpus(sounds)
        model = arguments.model.resolve() if arguments.model else trained(sounds, home)
        (home / "server").mkdir()
        with serve(home / "server") as server:
            cell = "import torch\n" + CELLS.format(model=model, sounds=sounds, minutes=MINUTES)
            *head, _ = cell.splitlines()
            atlas = "\n".join([*head[:5], "CodebookExplorer(build_atlas(model, corpus))"])
            rows = []
            for name, cells, measure in (
                ("codes", cell, codes_rows), ("atlas", atlas, explorer_rows),
            ):  # fmt: skip
                book = Notebook(server, browser, f"{name}.ipynb", [cells], "lab")
                book.run_all()
                rows += measure(book)
                book.close()
    report("Looking inside, in a browser", rows, arguments.json)
    opened_bytes, _, click = (row["measured"] for row in rows[:3])
    save(arguments, {"codes_kb": opened_bytes / 1e3, "click_ms": click})


if __name__ == "__main__":
    main()
