"""ModelLibraryView: the models below a folder, to find, name, tag, put away and open."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ipywidgets
import traitlets

from distill.analysis.library.library import ModelLibrary
from distill.analysis.library.library_model import LibraryModel, RefusedModel
from distill.errors import LibraryError
from distill.markup import plain, shortened
from distill.models.use.base import LoadedModel
from distill.names import path_from_text, path_to_text, printable
from distill.tables import MOST_IN_A_CELL
from distill_widgets.library.model_card import ModelCard
from distill_widgets.page.live_widget import LiveWidget
from distill_widgets.page.messages import Found, FoundModel, RefusedFile, TrashedFacts
from distill_widgets.page.page_code import page_code
from distill_widgets.page.view import View

MOST_SHOWN = 100
_MOST_TAGS = 50
_LONGEST_REASON = 1000


class LibraryList(LiveWidget):
    """The list itself; what it asks for is done by `ModelLibraryView`."""

    _esm = page_code("library/library_list.js")
    name = traitlets.Unicode("").tag(sync=True)
    revision = traitlets.Int(0).tag(sync=True)
    """Counts changes, so that every page asks again."""


class ModelLibraryView(View):
    """A folder of models: search, tags, names, a trash with undo; "open" shows a `ModelCard`.

    Args:
        library: or the folder of one.

    Raises:
        LibraryError: no such folder.

    Example:
        `view = ModelLibraryView("runs")`; after Open and Load, `view.model` is the model.
    """

    def __init__(self, library: ModelLibrary | str | os.PathLike[str]) -> None:
        self.library = library if isinstance(library, ModelLibrary) else ModelLibrary(library)
        self.card: ModelCard | None = None
        """Of the model that is open."""
        self.list = LibraryList(name=f"Models in {printable(self.library.folder)}")
        super().__init__([self.list], "distill-card")
        self.list.command("find", self._on_find)
        for kind, do in (
            ("rename", self._on_rename), ("tag", self._on_tag), ("untag", self._on_untag),
            ("delete", self._on_delete), ("undo", self._on_undo), ("open", self._on_open),
            ("refresh", self._on_refresh),
        ):  # fmt: skip
            self.list.command(kind, do)

    @property
    def model(self) -> LoadedModel[Any] | None:
        """The model of the open card, once it is loaded."""
        return None if self.card is None else self.card.model

    def show(self, model: LibraryModel | str | os.PathLike[str]) -> ModelCard:
        """Shows the card of a model below the list."""
        card = ModelCard(model)
        earlier, self.card = self.card, card
        self._hold(self.list, card)
        if earlier is not None:
            earlier.close()
        return card

    def _hold(self, *children: ipywidgets.Widget) -> None:
        self.children = children

    def _on_find(self, command: dict[str, Any]) -> Mapping[str, Any]:
        text, tag = str(command.get("text") or "") or None, str(command.get("tag") or "") or None
        found = self.library.search(text, tag=tag)
        refused = () if text or tag else self.library.refused[:MOST_SHOWN]
        tags = sorted({tag for model in self.library for tag in model.tags}, key=str.casefold)
        answer: Found = {
            "models": [_row(model) for model in found[:MOST_SHOWN]],
            "refused": [self._refused(one) for one in refused],
            "total": len(self.library),
            "tags": tags,
        }
        return answer

    def _on_rename(self, command: dict[str, Any]) -> dict[str, Any]:
        return self._changed(self.library.rename(_path(command), str(command.get("to", ""))))

    def _on_tag(self, command: dict[str, Any]) -> dict[str, Any]:
        return self._changed(self.library.tag(_path(command), str(command.get("tag", ""))))

    def _on_untag(self, command: dict[str, Any]) -> dict[str, Any]:
        return self._changed(self.library.untag(_path(command), str(command.get("tag", ""))))

    def _on_delete(self, command: dict[str, Any]) -> Mapping[str, Any]:
        trashed = self.library.delete(_path(command))
        if self.card is not None and self.card.path == trashed.original:
            self._hold(self.list)
            self.card.close()
            self.card = None
        self._changed()
        facts: TrashedFacts = {"trashed": path_to_text(trashed.path)}
        return facts

    def _on_undo(self, command: dict[str, Any]) -> dict[str, Any]:
        wanted = str(command.get("path", ""))
        for trashed in self.library.trash:
            if path_to_text(trashed.path) == wanted:
                self.library.restore(trashed)
                return self._changed()
        raise LibraryError(f"{printable(Path(wanted).name)}: not in the trash any more")

    def _on_open(self, command: dict[str, Any]) -> dict[str, Any]:
        self.show(_path(command))
        return {}

    def _on_refresh(self, _command: dict[str, Any]) -> dict[str, Any]:
        self.library.refresh()
        return self._changed()

    def _changed(self, model: LibraryModel | None = None) -> dict[str, Any]:
        self.list.revision += 1
        if model is not None and self.card is not None and self.card.path == model.path:
            self.card.renew()
        return {}

    def _refused(self, one: RefusedModel) -> RefusedFile:
        place = os.path.relpath(one.path, self.library.folder)
        return {
            "path": path_to_text(one.path),
            "place": printable(place),
            "reason": plain(one.reason, _LONGEST_REASON),
        }

    def saved_html(self) -> str:
        """What a saved notebook shows."""
        return self.library._repr_html_()

    def __repr__(self) -> str:
        return f"ModelLibraryView\n{self.library!r}"


def _row(model: LibraryModel) -> FoundModel:
    health = model.health
    return {
        "path": path_to_text(model.path),
        "place": printable(model.place),
        "name": shortened(model.name, MOST_IN_A_CELL),
        "tags": [shortened(tag, MOST_IN_A_CELL) for tag in model.tags[:_MOST_TAGS]],
        "codes": model.bottleneck,
        "health": "" if health is None else f"{health:.0%}, {model.verdict}",
        "word": model.verdict,
        "entropies": model.entropies,
        "made": f"{model.created.astimezone():%Y-%m-%d %H:%M}",
    }


def _path(command: dict[str, Any]) -> str:
    return path_from_text(str(command.get("path", "")))
