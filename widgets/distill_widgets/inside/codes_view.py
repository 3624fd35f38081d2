"""CodesView: the codes of a sound as a grid to look at and to listen to."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import traitlets

from distill.analysis.atlas.statistics import principal_axes
from distill.analysis.sound.entry_sounds import HELD_S
from distill.codebook.codes import Codes
from distill.errors import CodesError, ModelFileError, PartError
from distill.markup import plain, shortened
from distill.models.file.persistence import edit_metadata
from distill.models.use.bottlenecks import check_codebooks
from distill.models.use.loaded import LoadedVQModel
from distill.names import printable
from distill_widgets.inside.grid_sounds import CodeSource, GridSounds
from distill_widgets.page.live_widget import LiveWidget, Reply
from distill_widgets.page.messages import CodesFacts, SoundFacts, WrittenFacts
from distill_widgets.page.page_code import page_code
from distill_widgets.page.palette import level_colour
from distill_widgets.page.saved import with_saved_html
from distill_widgets.sounds.wav import wav_bytes

CHUNK_STEPS = 1024
_LONGEST_LABEL = 40


class CodesView(LiveWidget):
    """Levels × time steps, colour by entry, every part of it to be heard.

    A cell is heard alone, held, and brought to a common peak: the entries of later levels are
    quiet. A column is heard as all levels together, held. A row is one level over time, louder by
    what the page says; "1", "1+2" … are the first levels together, the last one the whole
    reconstruction, all as loud as they are.

    The page gets the codes in chunks as it scrolls, and sounds when they are asked for: sounds of
    more than `grid_sounds.WHOLE_S` in pieces, one after the other.

    Args:
        model: a trained one.
        sound: (waveform (samples,) float, its sample rate in Hz), the path of a sound file, or
            `Codes` of this model, which come without an original.
        name: the title; default the file's name.
        seconds: how long a single cell or column is held.

    Raises:
        ModelTypeError: a model without codebooks; says what serves it.
        CodesError: codes of another model, or something that is no sound.
        ShapeError, ConfigError: a waveform that is not mono, or a rate that is none.
        AudioFileError: a file that cannot be read.

    Example:
        `view = CodesView(model, "take3.wav")`, shown as the last line of a cell.
    """

    _esm = page_code("inside/codes_view.js")
    name = traitlets.Unicode("").tag(sync=True)
    facts = traitlets.Dict().tag(sync=True)
    labels: traitlets.List[str] = traitlets.List(traitlets.Unicode()).tag(sync=True)
    """Names of the levels; observe it to receive new ones."""
    hues = traitlets.Bytes(b"").tag(sync=True)
    """Where each entry stands on the circle of colours, (level, entry) uint16."""

    def __init__(
        self,
        model: LoadedVQModel,
        sound: CodeSource,
        *,
        name: str | None = None,
        seconds: float = HELD_S,
    ) -> None:
        check_codebooks(model, "CodesView")
        self._sounds = GridSounds(model, sound, seconds=seconds)
        self._model = model
        codes = self._sounds.codes
        self._indices = codes.indices.cpu().numpy().astype(_index_type(codes.codebook_size))
        super().__init__(
            name=self._sounds.name or "Codes" if name is None else name,
            facts=self._facts(),
            labels=[_fitting(label, number) for number, label in enumerate(codes.labels, 1)],
            hues=hues_of(model).tobytes(),
        )
        self.answer("codes", self._chunk)
        self.answer("sound", self._sound)
        self.command("rename", self._on_rename)
        self.command("write", self._on_write)

    @property
    def codes(self) -> Codes:
        """What is shown."""
        return self._sounds.codes

    @traitlets.validate("labels")
    def _check_labels(self, proposal: Any) -> list[str]:
        labels = [" ".join(label.split()) for label in proposal["value"]]
        if len(labels) != self._sounds.codes.levels:
            raise CodesError(f"{len(labels)} labels for {self._sounds.codes.levels} levels")
        for label in labels:
            if not label:
                raise CodesError("an empty name: a level needs one that people can read")
            if len(label) > _LONGEST_LABEL:
                raise CodesError(
                    f"a name of {len(label)} characters: expected at most {_LONGEST_LABEL}"
                )
        return labels

    def rename(self, level: int, label: str) -> None:
        """Gives a level another name, on this view; see `write_labels`.

        Args:
            level: from 0.
            label: up to 40 characters.

        Raises:
            PartError: no such level.
            CodesError: an empty or a very long name.
        """
        if not 0 <= level < len(self.labels):
            raise PartError(f"level={level}: expected 0 to {len(self.labels) - 1}")
        self.labels = [*self.labels[:level], label, *self.labels[level + 1 :]]

    def write_labels(self, path: str | os.PathLike[str] | None = None) -> Path:
        """Writes the names of the levels into a `.distill` file; its weights stay as they are.

        Args:
            path: default where the model was loaded from.

        Raises:
            ModelFileError: the model came from no file, or the file cannot be read or written.
            ConfigError: the file's model has other levels.
        """
        target = path or self._model.path
        if target is None:
            raise ModelFileError("this model came from no file: give the path of one")
        return edit_metadata(target, level_labels=list(self.labels)).path

    def _facts(self) -> CodesFacts:
        codes, path = self._sounds.codes, self._model.path
        return {
            "levels": codes.levels,
            "steps": codes.steps,
            "entries": codes.codebook_size,
            "bytes": self._indices.itemsize,
            "step_s": codes.step_seconds,
            "seconds": codes.seconds,
            "chunk_steps": CHUNK_STEPS,
            "piece_steps": self._sounds.piece_steps,
            "original": self._sounds.has_original,
            "silent": codes.peak == 0,
            "colours": [level_colour(level) for level in range(codes.levels)],
            "file": "" if path is None else printable(Path(path).name),
        }

    def _chunk(self, key: str) -> Reply:
        start = int(key) * CHUNK_STEPS if key.isdecimal() else -1
        if not 0 <= start < self.codes.steps:
            raise PartError(f"chunk {key}: the sound has no such steps")
        return {}, [np.ascontiguousarray(self._indices[:, start : start + CHUNK_STEPS]).tobytes()]

    def _sound(self, key: str) -> Reply:
        sound = self._sounds.get(key)
        facts: SoundFacts = {"louder_db": round(20 * math.log10(sound.gain))}
        return facts, [wav_bytes(sound.samples, sound.sample_rate)]

    def _on_rename(self, command: dict[str, Any]) -> dict[str, Any]:
        level = command.get("level")
        self.rename(level if isinstance(level, int) else -1, str(command.get("label", "")))
        return {}

    def _on_write(self, _command: dict[str, Any]) -> Mapping[str, Any]:
        written: WrittenFacts = {"file": printable(self.write_labels())}
        return written

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return with_saved_html(super()._repr_mimebundle_(**options), self.codes._repr_html_())

    def __repr__(self) -> str:
        return f"CodesView({self.name}: {self.codes!r})"


def _fitting(label: str, number: int) -> str:
    """A label as this view takes it: one line, not empty, cut where it is too long."""
    return shortened(" ".join(plain(label).split()), _LONGEST_LABEL) or f"level {number}"


def _index_type(entries: int) -> type[np.signedinteger[Any]]:
    return np.int16 if entries <= np.iinfo(np.int16).max + 1 else np.int32


def hues_of(model: LoadedVQModel) -> np.ndarray:
    """Places of a model's entries on the circle of colours: entries alike have colours alike.

    Returns:
        (level, entry) uint16: the order of the entries around the middle of their map, so that
        all colours are used equally often.
    """
    books = model.codebooks.numpy()
    books = np.nan_to_num(books, posinf=0, neginf=0)  # a damaged model has a grid all the same
    maps = np.stack([principal_axes(book) for book in books])
    angles = np.arctan2(maps[..., 1], maps[..., 0])
    return angles.argsort(axis=1).argsort(axis=1).astype(np.uint16)
