"""Files from strangers in a real page: every place a text can come from, through every view.

Nothing of it may run, become a link, a formula or an element, or ask another server; all of it has
to be seen as text. Who adds a view adds it to `SINKS`, or the first test fails.
"""

from __future__ import annotations

import ast
import contextlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.sign import NotebookNotary

import distill_widgets
from distill import AudioCorpus, Codes, edit_metadata, load_model_v2
from distill.errors import ConfigError
from distill.training import TrainingResult
from distill.training.watch.event_lines import (
    CheckpointEvent,
    TrainingCompleteEvent,
    TrainingFailedEvent,
    WarningEvent,
)
from tests.widgets.conftest import FakeTrainer

ROOT = Path(__file__).resolve().parents[2]

RUN = "window.__ran=1"
LABEL = f"<img src=x onerror={RUN}>"
"""As long as a name of a level may be."""
NAME = f"'\"><svg onload={RUN}>$x$<a href=javascript:{RUN}>"
"""As a file, a folder or a run may be called."""
TEXT = (
    f"\"'><img src=//evil.invalid/x onerror={RUN}><script>{RUN}</script></style></td>"
    f"<a href='javascript:{RUN}'>link</a><a href='http://evil.invalid'>link</a>"
    f"$$\\href{{javascript:{RUN}}}{{formula}}$$ $x$ \\(y\\) %{{x}} \u202eturned\u0007\n<b>next line"
)
MARK = "onerror=" + RUN, "onload=" + RUN
SVG = (
    f"<svg xmlns='http://www.w3.org/2000/svg' onload='{RUN}' width='90' height='20'>"
    f"<script>{RUN}</script><image href='http://evil.invalid/x.png' width='9' height='9'/>"
    f"<foreignObject><img src='x' onerror='{RUN}'/></foreignObject><text y='9'>seen</text></svg>"
)

SET_UP = f"""\
import torch, distill, distill_widgets as w
from distill import *
model = load_model_v2("h/models/model.distill")
corpus = AudioCorpus.scan("h/sounds", progress=False)
vae = load_model("h/latent.distill")
codes = Codes.load("h/codes.npz")
atlas = build_atlas(model, corpus, progress=False)
rates = rate_distortion(model, corpus, progress=False)
both = compare({{{TEXT!r}: model, {LABEL!r}: "h/models/model.distill"}}, corpus, progress=False)
runner = TrainingRunner.attach("h/runs/failed")
from dataclasses import replace
from distill.models.prior.sounds import CodedSound
from tests.priors import untrained
new = load_model_v2("h/models/model.distill")
learned = CodedSound({NAME!r}, (codes.indices.T.contiguous(),))
told = untrained(new, conditions=("class",), classes=({LABEL!r},))
new.use_prior(replace(told, sounds=(learned,)))
tone = (torch.sin(torch.arange(4000) / 9).numpy(), 8000)
from distill_widgets.sounds.recorder import Recording
heard = w.CodesRecorder(model)
heard._show(Recording({TEXT!r}, torch.from_numpy(tone[0]), 8000))
"""

SINKS: dict[str, str] = {
    # every widget, by its public name
    "TrainingDashboard": 'w.TrainingDashboard("h/runs/done")',
    "TrainingDashboard failed": "w.TrainingDashboard(runner)",
    "TrainPanel": 'w.TrainPanel("h/sounds", "h/runs")',
    "FolderChooser": 'w.FolderChooser("h/sounds")',
    "report": 'w.report("h/runs/done")',
    "Report": 'w.report("h/runs/failed")',
    "ModelCard": 'w.ModelCard("h/models/model.distill")',
    "ModelLibraryView": 'w.ModelLibraryView("h/models")',
    "CodesView": "w.CodesView(model, codes, name=codes.labels[0])",
    "CodesRecorder": "heard",
    "CodebookExplorer": "w.CodebookExplorer(atlas, model)",
    "LatentExplorer": "w.LatentExplorer(vae, corpus.files[0].path, "
    "directions=principal_directions(vae, 1))",
    "Generator": f"w.Generator(new, count=1, seconds=0.5, seed=1, classes={LABEL!r})",
    "RateView": "w.RateView(rates, model, corpus)",
    "CompareView": "w.CompareView(both)",
    "LiveChart": f'w.LiveChart([{{"name": {TEXT!r}}}], '
    f'{{"title": {{"text": {TEXT!r}}}}}, name={TEXT!r}, empty={TEXT!r})',
    "AudioPlayer": f"w.AudioPlayer(lambda key: tone, [w.SoundRow({TEXT!r}, 0.5, ({TEXT!r},), "
    f'("a",))], [w.Stage("a", {TEXT!r}), w.Stage("b", {TEXT!r})], name={TEXT!r}, empty={TEXT!r})',
    # everything that shows itself without a widget, by the class that says how
    "AudioCorpus": "corpus",
    "Codes": "codes",
    "ModelOfFile": "model",
    "CodebookAtlas": "atlas",
    "RateReport": "rates",
    "Comparison": "both",
    "ModelLibrary": 'ModelLibrary("h/models")',
    "RunList": 'TrainingRunner.list("h/runs")',
    "MetricsHistory": "runner.history",
}
PARTS = {"SoundRow", "Stage"}
"""Public names that are shown by another one."""

FOUND = """() => {
    const outputs = [...document.querySelectorAll('.jp-OutputArea-output')];
    const all = (what) => outputs.flatMap((e) => [...e.querySelectorAll(what)]);
    const pictures = all('img').filter((e) => !/^(data:image|blob:)/.test(e.src));
    const handlers = all('*').filter((e) => e.getAttributeNames().some((n) => n.startsWith('on')));
    const links = all('a[href], a[data-href], [xlink\\\\:href]')
        .filter((e) => !/^https:\\/\\/plotly.com|^#/.test(e.getAttribute('href') ?? '#'));
    return {
        ran: window.__ran ?? null, scripts: all('script').length, handlers: handlers.length,
        pictures: pictures.map((e) => e.outerHTML.slice(0, 200)),
        links: links.map((e) => e.outerHTML.slice(0, 200)),
        formulas: all('mjx-container, .MathJax').length,
        frames: all('iframe, object, embed, form, base, meta').length,
    };
}"""
ERROR = '[data-mime-type="application/vnd.jupyter.stderr"]'
DONE = """() => [...document.querySelectorAll('.jp-OutputArea-output')].some(
    (e) => e.dataset.mimeType?.endsWith('.stderr') || e.innerText.trim() === 'all shown')"""
NOTHING = {"ran": None, "scripts": 0, "handlers": 0, "pictures": [], "links": [], "formulas": 0,
           "frames": 0}  # fmt: skip


def test_every_view_is_tried() -> None:
    public = {*distill_widgets.__all__} - PARTS
    assert public <= set(SINKS), "a new widget: show it here what strangers send"
    shown = {
        node.name
        for path in (ROOT / "distill").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
        and any(isinstance(f, ast.FunctionDef) and f.name == "_repr_html_" for f in node.body)
    }
    assert shown <= set(SINKS), "a new class that shows itself: show it what strangers send"


@pytest.fixture
def received(
    server: Any, trained: TrainingResult, trained_vae: TrainingResult, corpus: AudioCorpus
) -> Path:
    """What strangers have sent: sounds, a model, codes and runs that are hostile all over."""
    home = server.folder / "h"
    shutil.rmtree(home, ignore_errors=True)
    (home / "sounds" / NAME).mkdir(parents=True)
    for number, file in enumerate(corpus.files[:2]):
        shutil.copy(file.path, home / "sounds" / NAME / f"{number}{LABEL}{NAME}.wav")
    (home / "sounds" / f"{LABEL}.als").write_text("not sound")
    models = home / "models"
    models.mkdir()
    shutil.copy(trained.model_path, models / "model.distill")
    (models / f"{LABEL}{NAME}.distill").write_bytes(b"no model")
    shutil.copy(trained_vae.model_path, home / "latent.distill")
    edit_metadata(home / "latent.distill", name=TEXT, description=TEXT, tags=[LABEL, NAME])
    edit_metadata(
        models / "model.distill", name=TEXT, description=TEXT, tags=[LABEL, NAME],
        level_labels=[LABEL] * 3,
    )  # fmt: skip
    odd = {"created": TEXT, "versions": {LABEL: LABEL}, LABEL: TEXT, "training": {TEXT: TEXT},
           "corpus": {"files": TEXT, "seconds": TEXT}}  # fmt: skip
    for name, value in odd.items():
        with contextlib.suppress(ConfigError):  # refused: then no file that is opened has it
            edit_metadata(models / "model.distill", **{name: value})
    model = load_model_v2(models / "model.distill")
    made: Codes = model.encode(*_read(corpus))
    made.save(home / "codes.npz")
    for name, end in (("done", True), ("failed", False)):
        run = FakeTrainer(home / "runs" / name, corpus, name=TEXT, device=LABEL)
        run.steps(20)
        run.finish_epoch(used=2)
        run.preview(TEXT)
        run.report(WarningEvent(0, 20, TEXT, TEXT))
        run.report(CheckpointEvent(0, 20, TEXT, True))
        if end:
            run.report(TrainingCompleteEvent(TEXT, TEXT, 0, 0.5, 1, 20, 2.0))
        else:
            run.report(TrainingFailedEvent(TEXT, TEXT, TEXT))
        run.state("finished" if end else "failed")
        run.close()
    (home / "runs" / NAME).mkdir()
    (home / "runs" / NAME / "run.json").write_text(json.dumps({"name": TEXT, "config": TEXT}))
    return home


def _read(corpus: AudioCorpus) -> Any:
    from distill import read_audio

    return read_audio(corpus.files[0].path)


def watched(page: Any, url: str) -> list[str]:
    """What a page asks of others, and what it says in windows."""
    odd: list[str] = []
    page.on("request", lambda request: odd.append(request.url) if _odd(request.url, url) else None)

    def dismiss(dialog: Any) -> None:
        if dialog.type == "beforeunload":  # JupyterLab's own
            dialog.accept()
            return
        odd.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dismiss)
    page.on("popup", lambda popup: odd.append(popup.url))
    return odd


def _odd(asked: str, url: str) -> bool:
    return not asked.startswith((url, url.replace("http", "ws"), "data:", "blob:"))


def test_nothing_of_it_runs_in_any_view(
    server: Any, notebook: Callable[..., Any], received: Path
) -> None:
    book = notebook(SET_UP, *SINKS.values(), 'print("all " + "shown")', fresh=True)
    odd = watched(book.page, server.url)
    book.page.set_viewport_size({"width": 1280, "height": 30_000})  # every cell is in sight
    book.run_all()
    book.page.wait_for_function(DONE, timeout=480_000)
    assert book.page.locator(ERROR).all_inner_texts() == []
    cells = book.page.locator(".jp-Notebook .jp-CodeCell")
    for number, name in enumerate(SINKS, 1):
        cell = cells.nth(number)
        shown = cell.locator(".jp-OutputArea")
        shown.get_by_text("window.__ran=1").first.wait_for(state="attached")
        assert any(mark in shown.inner_text() for mark in MARK), f"{name} hides it"
    _use(book)
    book.picture("hostile", ".jp-Notebook")
    assert book.page.evaluate(FOUND) == NOTHING
    assert odd == []
    # The trap itself works: the same text, put onto the page as markup.
    book.page.evaluate(
        "(t) => (document.querySelector('.jp-OutputArea-output').innerHTML = t)", TEXT
    )
    book.page.wait_for_function("() => window.__ran === 1")
    found = book.page.evaluate(FOUND)
    assert found["pictures"] and found["links"] and found["handlers"] and odd


def _use(book: Any) -> None:
    """Opens, turns and points at what is shown only then."""
    page = book.page
    page.locator('.distill-library [data-action="open"]').first.click()
    page.wait_for_function("() => document.querySelectorAll('.distill-card-head').length === 2")
    explorer = ".distill-explorer"
    for tab in ("usage", "pairs", "files", "map"):
        page.locator(f'{explorer} [data-choice="{tab}"]').click()
        page.wait_for_function(
            f"() => document.querySelector('{explorer}').dataset.drawn?.startsWith('{tab}/')"
        )
        page.locator(f"{explorer} .js-plotly-plot .nsewdrag").first.hover()
    page.locator(f"{explorer} select").first.select_option("file")
    book.wait_for(explorer, "drawn", "map/0/pca/file")
    page.locator(explorer).focus()
    page.keyboard.press("ArrowRight")
    book.wait_for(explorer, "moments", 1)
    for chart in page.locator(".distill-chart .nsewdrag").all():
        chart.hover(force=True)
    page.locator(".distill-runs button").first.click()
    page.wait_for_function("() => document.querySelectorAll('.distill-head').length === 3")
    page.locator(".distill-grid-label").first.dblclick()
    page.locator("input.distill-rename").fill(LABEL)
    page.keyboard.press("Enter")


def test_nothing_of_it_runs_in_a_notebook_that_was_sent(
    server: Any, notebook: Callable[..., Any], received: Path
) -> None:
    """State of widgets, as it lies in a saved notebook, edited by whoever sent it."""
    cell = 'import distill_widgets\nd = distill_widgets.TrainingDashboard("h/runs/done")\nd'
    document = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
    place = {"metadata": {"path": str(server.folder)}}
    NotebookClient(document, timeout=120, kernel_name="python3", resources=place).execute()
    state = document.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]
    edited = 0
    for one in state.values():
        values = one["state"]
        for key in ("snapshot", "name", "empty"):
            if key in values:
                values[key], edited = SVG if key == "snapshot" else TEXT, edited + 1
        if "spec" in values:
            values["spec"]["layout"]["images"] = [{"source": "http://evil.invalid/x.png"}]
            values["spec"]["empty"] = TEXT
        if "buttons" in values:
            values["buttons"] = [{"does": TEXT, "label": TEXT, "busy_label": TEXT, "hint": TEXT}]
            values["state"] = {k: TEXT if isinstance(v, str) else v for k, v in
                               values["state"].items()}  # fmt: skip
    assert edited >= 6
    NotebookNotary(data_dir=str(server.folder.parent / "data")).sign(document)  # it is trusted
    nbformat.write(document, server.folder / "sent.ipynb")
    book = notebook(name="sent.ipynb", fresh=True)
    odd = watched(book.page, server.url)
    book.goto(book.page)
    book.wait_for("[data-status=snapshot]", "status", "snapshot")
    image = book.page.locator("img.distill-snapshot").first
    image.wait_for()
    assert image.evaluate("e => e.decode().then(() => e.naturalWidth)") == 90
    assert "onerror" in book.page.locator(".distill-head").inner_text()
    assert book.page.evaluate(FOUND) == NOTHING
    assert odd == []
