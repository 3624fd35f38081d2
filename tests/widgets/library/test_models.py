"""ModelCard and ModelLibraryView, as a page would use them."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from distill import LoadedVQModel, edit_metadata, read_model_info
from distill.errors import LibraryError, ModelFileError
from distill.training import TrainingResult
from distill_widgets import LiveChart, ModelCard, ModelLibraryView
from distill_widgets.charts.epoch_curves import curves_of_model, curves_of_models


def request(widget: Any, kind: str, act: str = "", **wanted: Any) -> dict[str, Any]:
    """What a page receives when it requests something."""
    said: list[Any] = []
    widget.send = lambda content, buffers=None: said.append(content)
    key = json.dumps({"act": act or str(time.monotonic_ns()), **wanted})
    widget._receive(None, {"type": kind, "key": key}, [])
    return said[-1]


@pytest.fixture
def path(trained: TrainingResult, tmp_path: Path) -> Path:
    return Path(shutil.copy(trained.model_path, tmp_path / "choir.distill"))


@pytest.fixture
def library(path: Path) -> ModelLibraryView:
    (path.parent / "deep").mkdir()
    shutil.copy(path, path.parent / "deep" / "wind.distill")
    edit_metadata(path.parent / "deep" / "wind.distill", name="Wind", tags=["breath"])
    (path.parent / "bad.distill").write_bytes(b"no model")
    return ModelLibraryView(path.parent)


def test_a_card_shows_what_the_header_says(path: Path) -> None:
    edit_metadata(path, name="Choir & <co>", tags=["voice"], description="all of them")
    card = ModelCard(path)
    state = card.head.state
    assert (state["name"], state["tags"], state["description"]) == (
        "Choir & <co>", ["voice"], "all of them",
    )  # fmt: skip
    facts = dict(state["facts"])
    assert facts["file"] == str(path) and "3 levels × 16 entries" in facts["codes"]
    assert "MB" in facts["size"] and "files" in facts["corpus"]
    assert any(isinstance(child, LiveChart) for child in card.children)
    assert card.player is None and card.model is None
    assert "3 levels × 16 entries" in repr(card)


def test_a_card_in_its_run_folder_has_the_previews(trained: TrainingResult) -> None:
    card = ModelCard(trained.model_path.parent)
    assert card.path == trained.model_path
    assert card.player is not None and len(card.player.rows) == 2


def test_load_puts_the_model_into_the_card(path: Path) -> None:
    card = ModelCard(path)
    seen: list[object] = []
    card.observe(lambda change: seen.append(change.new), "model")
    assert "error" not in request(card.head, "load")
    assert isinstance(card.model, LoadedVQModel) and seen == [card.model]
    assert card.head.state["loaded"] and card.load() is card.model


def test_a_file_that_went_is_said_on_the_page(path: Path) -> None:
    card = ModelCard(path)
    path.unlink()
    assert "choir.distill" in request(card.head, "load")["error"]
    assert card.model is None
    with pytest.raises(ModelFileError):
        card.load()


@pytest.mark.parametrize("content", [b"", b"no model", b"\xff" * 4096])
def test_a_broken_file_is_shown_with_its_reason(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.distill"
    path.write_bytes(content)
    card = ModelCard(path)
    assert "bad.distill" in card.head.state["trouble"]
    assert card.info is None and len(card.children) == 1
    assert "bad.distill" in repr(card)


def test_a_copy_is_bit_for_bit_and_overwrites_nothing(path: Path, tmp_path: Path) -> None:
    card = ModelCard(path)
    answer = request(card.head, "save", path=str(tmp_path / "copy"))
    assert answer["path"] == str(tmp_path / "copy.distill")
    assert (tmp_path / "copy.distill").read_bytes() == path.read_bytes()
    assert "exists already" in request(card.head, "save", path=str(tmp_path / "copy"))["error"]
    assert "an empty path" in request(card.head, "save", path=" ")["error"]
    missing = str(tmp_path / "none" / "copy")
    assert "cannot be written" in request(card.head, "save", path=missing)["error"]


def test_a_request_received_twice_is_done_once(path: Path, tmp_path: Path) -> None:
    """A page asks again where an answer is late: the copy is not refused as being there."""
    card = ModelCard(path)
    for _ in range(2):
        assert "error" not in request(card.head, "save", "once", path=str(tmp_path / "copy"))
    assert "not understood" in _raw(card.head, "save", "no json")["error"]


def _raw(widget: Any, kind: str, key: str) -> dict[str, Any]:
    said: list[Any] = []
    widget.send = lambda content, buffers=None: said.append(content)
    widget._receive(None, {"type": kind, "key": key}, [])
    return said[-1]


def test_a_library_is_searched(library: ModelLibraryView) -> None:
    found = request(library.list, "find")
    assert {one["name"] for one in found["models"]} == {"trained", "Wind"}
    assert found["tags"] == ["breath"] and found["total"] == 2
    assert [one["place"] for one in found["refused"]] == ["bad.distill"]
    assert "bad.distill" in found["refused"][0]["reason"]
    assert [one["name"] for one in request(library.list, "find", text="WIN")["models"]] == ["Wind"]
    assert [one["name"] for one in request(library.list, "find", tag="breath")["models"]] == [
        "Wind"
    ]
    assert request(library.list, "find", text="nothing of it")["models"] == []


def test_names_and_tags_are_changed_and_seen_everywhere(
    library: ModelLibraryView, path: Path
) -> None:
    card = library.show(path)
    before = library.list.revision
    assert "error" not in request(library.list, "rename", path=str(path), to=" Choir ")
    assert "error" not in request(library.list, "tag", path=str(path), tag="voice")
    assert read_model_info(path).name == "Choir" == card.head.state["name"]
    assert card.head.state["tags"] == ["voice"]
    assert "error" not in request(library.list, "untag", path=str(path), tag="voice")
    assert read_model_info(path).metadata["tags"] == []
    assert library.list.revision == before + 3
    assert "an empty name" in request(library.list, "rename", path=str(path), to=" ")["error"]
    assert "an empty tag" in request(library.list, "tag", path=str(path), tag="")["error"]
    assert "no model file below" in request(library.list, "tag", path="/else", tag="x")["error"]


def test_delete_and_undo(library: ModelLibraryView, path: Path) -> None:
    library.show(path)
    trashed = request(library.list, "delete", path=str(path))["trashed"]
    assert not path.exists() and Path(trashed).exists()
    assert library.card is None and library.children == (library.list,)
    assert "error" not in request(library.list, "undo", path=trashed)
    assert path.exists()
    answer = request(library.list, "undo", path=trashed)
    assert answer["error"] == "choir.distill: not in the trash any more"
    bad = path.parent / "bad.distill"
    request(library.list, "delete", path=str(bad))
    assert request(library.list, "find")["refused"] == []


def test_open_shows_a_card_whose_model_is_the_views(library: ModelLibraryView, path: Path) -> None:
    assert library.model is None
    request(library.list, "open", path=str(path))
    assert library.card is not None
    request(library.card.head, "load")
    assert isinstance(library.model, LoadedVQModel)
    request(library.list, "open", path=str(path.parent / "bad.distill"))
    assert "bad.distill" in library.card.head.state["trouble"]
    assert library.model is None


def test_files_that_came_and_went_are_seen_after_a_refresh(
    library: ModelLibraryView, path: Path
) -> None:
    shutil.copy(path, path.parent / "new.distill")
    path.unlink()
    request(library.list, "refresh")
    places = {one["place"] for one in request(library.list, "find")["models"]}
    assert places == {"new.distill", "deep/wind.distill"}


def test_a_library_of_many_shows_the_newest(
    library: ModelLibraryView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("distill_widgets.library.model_library.MOST_SHOWN", 1)
    found = request(library.list, "find")
    assert (len(found["models"]), found["total"]) == (1, 2)


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match=r"none: no such folder"):
        ModelLibraryView(tmp_path / "none")
    assert "ModelLibraryView" in repr(ModelLibraryView(tmp_path))


def test_curves_of_files_that_say_little() -> None:
    assert curves_of_model({}).points == [0, 0]
    assert curves_of_model({"train": [1.0, None], "val": [2.0]}).points == [2, 1]  # type: ignore[list-item]
    both = curves_of_models({"a": {"epoch": [0, 1], "val": [1.0, 0.5]}, "b": {}})
    assert both.points == [2, 0]
