"""ModelCard: what a model file says of itself, to look at, to load and to copy."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ipywidgets
import traitlets

from distill.analysis.library.library_model import LibraryModel
from distill.checked import open_regular
from distill.errors import DistillError, ModelFileError, OutputExistsError, OutsideDataError
from distill.file_names import MODEL_SUFFIX
from distill.markup import plain, shortened
from distill.models.file.info import ModelInfo, read_model_info
from distill.models.use.base import LoadedModel
from distill.models.use.loading import load_model
from distill.models.use.report import model_facts
from distill.names import printable
from distill.outputs import new_file
from distill.tables import MOST_IN_A_CELL
from distill.training.run.folder import RunFolder
from distill.training.runner import TrainingRunner
from distill_widgets.charts.epoch_curves import curves_of_model
from distill_widgets.charts.live_chart import LiveChart
from distill_widgets.page import markup
from distill_widgets.page.controls import Html
from distill_widgets.page.live_widget import LiveWidget
from distill_widgets.page.messages import SavedFacts
from distill_widgets.page.page_code import page_code
from distill_widgets.page.typed_path import typed_path
from distill_widgets.page.view import View
from distill_widgets.sounds.audio_player import AudioPlayer
from distill_widgets.sounds.previews import Previews


class CardHead(LiveWidget):
    """Shows `state`, and asks the card to load the model or to save a copy."""

    _esm = page_code("library/card_head.js")
    state = traitlets.Dict().tag(sync=True)


class ModelCard(View):
    """A model file: what it is, its codebooks' health, its training, its sounds.

    Only the header is read until somebody presses Load; then the model is in `model`. A file that
    cannot be used is shown with its reason. Sounds are there where the file lies in its run folder.

    Args:
        model: a `.distill` file, a run folder that has one, or one of a library.
        device: where the weights go when it is loaded.

    Example:
        `card = ModelCard("runs/choir/model.distill")`, then `card.model.encode(...)`.
    """

    model: Any = traitlets.Instance(LoadedModel, allow_none=True, default_value=None)
    """The loaded model; None until it is loaded. Observe it to receive it."""

    def __init__(
        self, model: LibraryModel | str | os.PathLike[str], *, device: str = "cpu"
    ) -> None:
        place = Path(model.path if isinstance(model, LibraryModel) else model)
        self.path = RunFolder(place).model_path if place.is_dir() else place
        self.info: ModelInfo | None = None
        """What its header says; None where it cannot be read."""
        self._device = device
        self.head = CardHead()
        parts: list[ipywidgets.Widget]
        self.player: AudioPlayer | None = None
        try:
            self.info = read_model_info(self.path)
        except ModelFileError as error:
            self.head.state = {"name": printable(self.path.name), "trouble": plain(error)}
            parts = []
        else:
            self.head.state = self._state(self.info)
            parts = self._parts(self.info)
        super().__init__([self.head, *parts], "distill-card")
        self.head.command("load", self._on_load)
        self.head.command("save", self._on_save)

    def load(self) -> LoadedModel[Any]:
        """The model, read when it is first asked for.

        Raises:
            ModelFileError: the file cannot be used, or changed since.
            ConfigError: no such device.
        """
        if self.model is None:
            self.model = load_model(self.path, device=self._device)
            self.head.state = {
                **self.head.state,
                "loaded": True,
                "said": "loaded: the card's .model is ready to encode and decode",
            }
        return self.model

    def save_as(self, path: str | os.PathLike[str]) -> Path:
        """Copies the file as it is, bit for bit; returns where to, ending in `.distill`.

        Raises:
            ModelFileError: something is there already, or it cannot be written.
        """
        if not str(path).strip():
            raise ModelFileError("an empty path: expected where to save a copy")
        target = typed_path(path)
        if target.suffix != MODEL_SUFFIX:
            target = target.with_name(target.name + MODEL_SUFFIX)
        if os.path.lexists(target):
            raise ModelFileError(f"{printable(target)}: exists already; choose another name")
        try:
            with open_regular(self.path) as source, new_file(target) as file:
                shutil.copyfileobj(source, file)
        except OutputExistsError:  # it has come meanwhile
            raise ModelFileError(
                f"{printable(target)}: exists already; choose another name"
            ) from None
        except OutsideDataError as error:
            raise ModelFileError(str(error)) from error
        except OSError as error:
            raise ModelFileError(
                f"{printable(target)}: cannot be written ({error.strerror})"
            ) from error
        return target

    def renew(self) -> None:
        """Reads the header again, as after a change of name or tags."""
        try:
            self.info = read_model_info(self.path)
        except ModelFileError as error:
            self.head.state = {"name": printable(self.path.name), "trouble": plain(error)}
        else:
            loaded = {key: self.head.state[key] for key in ("loaded",) if key in self.head.state}
            self.head.state = {**self._state(self.info), **loaded}

    def _state(self, info: ModelInfo) -> dict[str, Any]:
        facts = model_facts(info.config, info.metadata, info.parameters, info.file_bytes)
        tags = info.metadata.get("tags")
        return {
            "name": shortened(info.name, MOST_IN_A_CELL),
            "description": plain(info.metadata.get("description") or ""),
            "tags": [shortened(tag, 100) for tag in tags[:50]] if isinstance(tags, list) else [],
            "facts": [
                ["file", printable(self.path)],
                *([n, plain(v, 1000)] for n, v in facts if n != "tags"),
            ],
            "suggestion": f"{printable(self.path.stem)}-copy{MODEL_SUFFIX}",
            "loaded": False,
        }

    def _parts(self, info: ModelInfo) -> list[ipywidgets.Widget]:
        parts: list[ipywidgets.Widget] = []
        if info.health:
            parts.append(Html(markup.health_table(info.health)))
        if info.loss_curves.get("val") or info.loss_curves.get("train"):
            parts.append(LiveChart(curves_of_model(info.loss_curves)))
        self.player = _sounds_beside(self.path)
        return parts if self.player is None else [*parts, self.player]

    def _on_load(self, _command: dict[str, Any]) -> dict[str, Any]:
        self.load()
        return {}

    def _on_save(self, command: dict[str, Any]) -> Mapping[str, Any]:
        facts: SavedFacts = {"path": printable(self.save_as(str(command.get("path", ""))))}
        return facts

    def __repr__(self) -> str:
        state = self.head.state
        lines = [f"ModelCard({state['name']})", str(state.get("trouble", ""))]
        lines += [f"{name}: {value}" for name, value in state.get("facts", [])]
        return "\n".join(line for line in lines if line)


def _sounds_beside(path: Path) -> AudioPlayer | None:
    """The previews of the run a model came from, where its file still lies in the run's folder."""
    folder = RunFolder(path.parent)
    if not folder.is_run or folder.model_path != path:
        return None
    try:
        runner = TrainingRunner.attach(folder.path)
        try:
            history = runner.history
        finally:
            runner.close()
        if not history.previews:
            return None
        previews = Previews(folder)
        previews.update(history)
    except DistillError:  # a damaged run beside a good model is no reason to hide the model
        return None
    return previews.player
