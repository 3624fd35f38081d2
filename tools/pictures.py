"""`python -m tools.pictures`: the pictures of README and site, of a training on the demo corpus.

In JupyterLab, through the browser of the tests.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import ViewportSize

from distill import make_demo_corpus
from tests.browser.harness import Notebook, chromium, serve

PLACE = Path(__file__).resolve().parents[1] / "docs"
DASHBOARD = """
import distill, distill_widgets
corpus = distill.AudioCorpus.scan({sounds!r}, progress=False)
config = distill.get_adaptive_vqvae_config(
    len(corpus), corpus.seconds, max_steps=300, preview_every_epochs=2
)
runner = distill.TrainingRunner()
runner.start_vqvae(config, corpus, {run!r}, model_name="my-sounds")
distill_widgets.TrainingDashboard(runner)
"""
CODES = """
runner.wait(progress=False)
distill_widgets.CodesView(runner.result.load(), {sound!r})
"""
_WHOLE: ViewportSize = {"width": 1500, "height": 2600}
"""Pixels of a page on which all of a dashboard is seen."""


def main(place: Path = PLACE) -> None:
    """Makes both pictures anew.

    Args:
        place: their folder.
    """
    with tempfile.TemporaryDirectory() as home, serve(Path(home)) as server, chromium() as browser:
        sounds = server.folder / "sounds"
        make_demo_corpus(sounds)
        run, sound = server.folder / "run", sounds / "bell-05.wav"
        cells = [
            DASHBOARD.format(sounds=str(sounds), run=str(run)),
            CODES.format(sound=str(sound)),
        ]
        notebook = Notebook(server, browser, "pictures.ipynb", cells, "lab")
        notebook.page.set_viewport_size(_WHOLE)
        notebook.run_all()
        notebook.wait_for(".distill-head", "state", "finished")
        notebook.page.wait_for_timeout(3000)  # charts are drawn after the state is there
        for name, selector in (("dashboard", ".distill-dashboard"), ("codes", ".distill-codes")):
            notebook.page.locator(selector).first.screenshot(path=place / f"{name}.png")
        notebook.close()


if __name__ == "__main__":
    main()
