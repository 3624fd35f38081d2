"""One odd file hides no other: in every list of a page it is a row with its reason."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from distill.training import TrainingResult
from distill_widgets import FolderChooser, ModelCard, ModelLibraryView
from distill_widgets.training.folders import view_of
from distill_widgets.training.run_names import next_free, suggest_name, what_is_wrong
from distill_widgets.training.runs_list import RunsList

from .test_models import request

ODD = b"Gel\xe4ut \x1b[2J<b>"
"""A name that is no UTF-8, with signs that steer a terminal."""


def fifo(path: Path) -> None:
    os.mkfifo(path)


def link(path: Path) -> None:
    path.symlink_to(path.parent.parent / "nowhere")


def folder(path: Path) -> None:
    path.mkdir()


def text(content: str | bytes) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    return write


FORGED: dict[str, Callable[[Path], None]] = {
    "fifo": fifo,
    "link": link,
    "folder": folder,
    "empty": text(""),
    "list": text("[]"),
    "null": text("null"),
    "deep": text("[" * 100_000),
    "huge": text('{"name": ' + "9" * 5000 + "}"),
    "bytes": text(b"\xff\xfe\x00"),
    "types": text(json.dumps({"name": {"a": [1]}, "config": 3, "device": None})),
    "half": text('{"name": "\\ud800"}'),
}


@pytest.fixture
def runs(trained: TrainingResult, tmp_path: Path) -> Path:
    """A good run among forged ones."""
    home = tmp_path / "runs"
    shutil.copytree(trained.model_path.parent, home / "good")
    for name, make in FORGED.items():
        for file in ("run.json", "status.json"):
            place = home / f"{name}-{file}"
            shutil.copytree(trained.model_path.parent, place)
            (place / file).unlink()
            make(place / file)
    shutil.copytree(trained.model_path.parent, os.fsdecode(os.fsencode(home) + b"/" + ODD))
    return home


def test_the_runs_list_shows_all(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("distill_widgets.training.runs_list.MOST_SHOWN", 1000)
    shown: list[Path] = []
    listed = RunsList(runs, shown.append)
    rows = [row.children[0].value for row in listed.rows.children]
    assert len(rows) == 2 * len(FORGED) + 2
    assert any(">finished<" in row for row in rows)
    assert sum(">damaged<" in row for row in rows) >= len(FORGED) - 2
    for row in listed.rows.children:
        row.children[0].value.encode()
        row.children[1].tooltip.encode()
        row.children[1].click()
    assert shown


def test_the_library_shows_all(trained: TrainingResult, tmp_path: Path) -> None:
    home = tmp_path / "models"
    home.mkdir()
    shutil.copy(trained.model_path, home / "good.distill")
    shutil.copy(trained.model_path, os.fsdecode(os.fsencode(home) + b"/" + ODD + b".distill"))
    for name, make in FORGED.items():
        make(home / f"{name}.distill")
    view = ModelLibraryView(home)
    found = request(view.list, "find")
    assert len(found["models"]) == 2
    assert len(found["refused"]) == len(FORGED)
    assert all(one["reason"] for one in found["refused"])
    json.dumps(found, ensure_ascii=False).encode()
    odd = next(one for one in found["models"] if "good" not in one["place"])
    assert odd["place"] == "Gel\\xe4ut \\x1b[2J<b>.distill"
    assert "error" not in request(view.list, "rename", path=odd["path"], to="Ring")
    assert "error" not in request(view.list, "open", path=odd["path"])
    assert view.card is not None and view.card.head.state["name"] == "Ring"
    trashed = request(view.list, "delete", path=odd["path"])["trashed"]
    assert "error" not in request(view.list, "undo", path=trashed)
    for one in found["refused"]:
        assert "error" not in request(view.list, "open", path=one["path"])
        assert view.card.head.state["trouble"]
    repr(view).encode()
    view.close()


def test_a_model_that_vanishes_is_said(trained: TrainingResult, tmp_path: Path) -> None:
    path = Path(shutil.copy(trained.model_path, tmp_path / "m.distill"))
    view = ModelLibraryView(tmp_path)
    path.unlink()
    for kind in ("open", "rename", "tag", "delete"):
        answer = request(view.list, kind, path=str(path), to="x", tag="x")
        assert answer.get("error") or view.card.head.state["trouble"]  # type: ignore[union-attr]
    assert request(view.list, "refresh").get("error") is None
    assert request(view.list, "find")["total"] == 0
    assert ModelCard(path).head.state["trouble"]
    view.close()


def test_odd_names_are_folders_to_go_into(tmp_path: Path) -> None:
    place = os.fsdecode(os.fsencode(tmp_path) + b"/" + ODD)
    Path(place).mkdir()
    (Path(place) / "deeper").mkdir()
    (tmp_path / "pipe").mkdir()
    fifo(tmp_path / "pipe" / "run.json")
    chooser = FolderChooser(tmp_path)
    labels = [label for label, _ in chooser.subfolders.options]
    assert labels == ["Gel\\xe4ut \\x1b[2J<b>   –", "pipe   –"] or len(labels) == 2
    chooser.subfolders.index = 0
    assert chooser.folder == Path(place)
    chooser.path.value.encode()
    chooser.subfolders.index = 0
    assert chooser.folder == Path(place) / "deeper"
    chooser.close()
    assert view_of(tmp_path).trouble == ""


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="rights are others on Windows")
def test_a_folder_that_may_not_be_entered_is_a_row() -> None:
    """As somebody else than its owner: root is bound by no rights, so root becomes nobody."""
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        home.chmod(0o755)
        for name in ("closed", "open"):
            (home / name).mkdir()
        (home / "closed" / "inner").mkdir()
        (home / "closed").chmod(0o000)
        if os.geteuid() == 0:
            os.seteuid(65534)
        try:
            view = view_of(home)
            inside = view_of(home / "closed" / "inner")
            chooser = FolderChooser(home)
            chooser.close()
        finally:
            if os.getuid() == 0:
                os.seteuid(0)
            (home / "closed").chmod(0o755)
        assert [one.label for one in view.subfolders] == ["closed   may not be entered", "open   –"]
        assert "you may not look into this folder" in inside.trouble


@pytest.mark.parametrize("make", FORGED.values(), ids=FORGED)
def test_a_name_beside_an_odd_run_is_free_or_not(
    make: Callable[[Path], None], tmp_path: Path
) -> None:
    (tmp_path / "takes").mkdir()
    make(tmp_path / "takes" / "run.json")
    trouble, free = what_is_wrong("takes", tmp_path)
    assert trouble and free == "takes-2"
    assert next_free("takes", tmp_path) == "takes-2"
    assert suggest_name(Path(os.fsdecode(ODD)), tmp_path).isprintable()


def test_requests_of_an_odd_page_break_nothing(trained: TrainingResult, tmp_path: Path) -> None:
    shutil.copy(trained.model_path, tmp_path / "m.distill")
    view = ModelLibraryView(tmp_path)
    odd: list[Any] = [None, 3, [], {}, "x" * 100_000, "\0", "../../etc/passwd", "a/../../b"]
    for kind in ("find", "rename", "tag", "untag", "delete", "undo", "open"):
        for value in odd:
            answer = request(view.list, kind, path=value, to=value, tag=value, text=value)
            json.dumps(answer)
    assert (tmp_path / "m.distill").exists()
    view.close()
