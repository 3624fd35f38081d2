from __future__ import annotations

import base64
import io
import json
import shutil
import sys

import numpy as np
import pytest
import soundfile
from PIL import Image

from distill import RunFolder, RunFolderError, TrainingRunner
from distill.errors import AudioFileError
from distill_widgets import report
from distill_widgets.sounds.previews import preview_sound


def test_the_whole_as_static_outputs(trained):
    run = RunFolder(trained.model_path.parent)
    made = report(run)
    outputs = made.outputs()
    kinds = [set(bundle) for bundle in outputs]
    plotly = "application/vnd.plotly.v1+json"
    assert kinds == [
        {"text/html", "text/plain"},
        {plotly, "image/png", "text/plain"},
        {plotly, "image/png", "text/plain"},
        {"image/png", "text/plain"},
    ]
    assert len(json.dumps(outputs, allow_nan=False)) < 300_000
    for bundle in outputs[1:]:
        with Image.open(io.BytesIO(base64.b64decode(bundle["image/png"]))) as picture:
            assert picture.width == 900
    assert "script" not in outputs[0]["text/html"]
    assert "var(--" not in json.dumps([bundle[plotly] for bundle in outputs[1:3]])


def test_plotly_itself_takes_the_figures(trained):
    from plotly.graph_objects import Figure

    for bundle in report(trained.model_path.parent).outputs()[1:3]:
        figure = Figure(bundle["application/vnd.plotly.v1+json"])
        assert len(figure.data) in (7, 12)
        assert sum(len(trace.x or ()) for trace in figure.data) > 10


def test_text_says_it_all(trained):
    text = repr(report(trained.model_path.parent))
    assert text.startswith("trained: finished, ")
    assert "60 steps" in text
    assert "Structure" in text
    assert "best validation" in text


def test_it_is_shown_as_several_outputs(trained, monkeypatch):
    import IPython.display

    shown = []
    monkeypatch.setattr(IPython.display, "display", lambda bundle, raw: shown.append((bundle, raw)))
    report(TrainingRunner.attach(trained.model_path.parent))._ipython_display_()
    assert len(shown) == 4
    assert all(raw for _, raw in shown)


def test_a_run_that_has_just_begun(trainer):
    outputs = report(trainer.path).outputs()
    assert len(outputs) == 3
    assert "measured after each epoch" in outputs[0]["text/html"]
    assert outputs[0]["text/plain"].startswith("drums & bass: running, 0 epochs, 0 steps")


def test_missing_previews_are_left_out(trained, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(trained.model_path.parent, copy)
    shutil.rmtree(copy / "previews")
    assert len(report(copy).outputs()) == 3


def test_a_preview_of_hours_is_not_read(trained, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(trained.model_path.parent, copy)
    for path in (copy / "previews").rglob("*.wav"):  # packed, it is small
        soundfile.write(path, np.zeros(8000 * 100, np.int16), 8000, format="FLAC")
        with pytest.raises(AudioFileError, match="100 s long; a preview has at most 90"):
            preview_sound(RunFolder(copy), path.relative_to(copy).as_posix())
    assert len(report(copy).outputs()) == 3


def test_no_run(tmp_path):
    with pytest.raises(RunFolderError, match="no run there"):
        report(tmp_path)
    with pytest.raises(RunFolderError, match="there is no run yet"):
        report(TrainingRunner())


def test_names_are_no_formulas(trainer):
    trainer.finish_epoch()
    trainer.preview("A$$AP $\\foo$ _x")
    assert len(report(trainer.path).outputs()) == 4


def test_a_log_that_names_more_sounds_than_a_run_makes(trained, tmp_path, monkeypatch):
    copy = tmp_path / "copy"
    shutil.copytree(trained.model_path.parent, copy)
    event = RunFolder(copy).read_events()[0]
    pair = next(pair for one in event for pair in getattr(one, "pairs", ()))
    named = {"event": "PreviewEvent", "epoch": 99, "step": 99, "folder": "previews", "pairs": []}
    named["pairs"] = [vars(pair)] * 1000
    with (copy / "events.jsonl").open("a") as log:
        log.write(json.dumps(named) + "\n")
    drawn = []
    module = sys.modules["distill_widgets.training.report"]  # its function has the same name
    monkeypatch.setattr(module, "draw_pictures", lambda *a: drawn.append(a) or a)
    monkeypatch.setattr(module, "to_png", lambda _: b"")
    said = report(copy).outputs()[-1]["text/plain"]
    assert "(the first 64 of 1000)" in said
    assert [len(rows) for rows, _ in drawn] == [64]
