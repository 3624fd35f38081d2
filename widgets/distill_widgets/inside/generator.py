"""Generator: pads of new sounds, made from what a model learned of recordings."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import ipywidgets
from torch import Tensor

from distill.codebook.codes import Codes
from distill.errors import RunFolderError
from distill.markup import shortened
from distill.models.prior.drawing import Drawing
from distill.models.use.loaded import LoadedVQModel
from distill.names import printable
from distill.tables import MOST_IN_A_CELL, html_page, html_table, text_table
from distill.training.runner import TrainingRunner
from distill.words import counted
from distill_widgets.inside.codes_view import CodesView
from distill_widgets.inside.pad_board import PadBoard
from distill_widgets.inside.pad_files import PadFiles
from distill_widgets.inside.pad_list import PadList, about
from distill_widgets.inside.pad_settings import PadSettings
from distill_widgets.inside.pad_source import source_of
from distill_widgets.inside.pad_told import Told
from distill_widgets.inside.pads import Asked, Pad
from distill_widgets.page.controls import Sentence, button, labelled, row, style_sheet
from distill_widgets.page.view import View

_COLUMNS = ("sound", "made", "copied")


class Generator(View):
    """Pads that each hold a new sound of a model with a prior: play, keep, discard, vary, continue,
    fill a gap, loop.

    Below each pad stands what it shares with a recording that was learned from: a bar from end to
    end with the longest run, which turns to the colour of a warning where that is a copy. A sound
    is heard while it is drawn, but for a filled gap and a loop, which are heard once they are
    chosen; a loop is played over and over. The same seed and settings give the same sound. "Undo"
    goes back from anything that was done.

    Args:
        model: a trained one with a prior, see `train_prior`; or the runner of a run that learns
            one, see `TrainingRunner.start_prior`. Then each sound is drawn by the weights of its
            moment, once there are some, and says of which step they are; when the run has ended,
            by those that it keeps.
        count: sounds to begin with.
        seconds: length of a new sound, of a loop, or of what a continued one gets; up to 60.
        seed: of the first sound, the others follow; None by chance.
        temperature: 0 takes the likeliest each time, 1 draws as was learned.
        novelty: 1 lets no run along a recording become a copy, 0 any; see `model.generate`.
        classes: name of the class that sounds are to be of; None for any.
        loudness: a level in dB, or several from begin to end; see `model.generate`; None for any.
        brightness: a mean frequency in Hz, or several likewise; None for any.

    Raises:
        ModelTypeError: a model without codebooks, or a run that learns no prior.
        RunFolderError: a runner without a run.
        PriorError: a model without a prior, or one that cannot be told what is asked; says how to
            train one.
        ConfigError: a count, length, seed, temperature, novelty or level out of its range, or a
            class that nobody knows.

    Example:
        `pads = Generator(model)`, shown as the last line of a cell; then `pads.codes(3)` are the
        codes of sound 3, and `pads.kept` those of the ones that somebody keeps.
    """

    def __init__(
        self,
        model: LoadedVQModel | TrainingRunner,
        *,
        count: int = 4,
        seconds: float = 3.0,
        seed: int | None = None,
        temperature: float = 1.0,
        novelty: float = 0.0,
        classes: str | None = None,
        loudness: float | Sequence[float] | None = None,
        brightness: float | Sequence[float] | None = None,
    ) -> None:
        source, told = source_of(model), Told.of(classes, loudness, brightness)
        self._board = PadBoard(source)
        self._pieces: dict[Asked, int] = {}  # of sounds that are being drawn: how many are there
        self._files, self._is_showing = PadFiles(self._board), False
        drawing = Drawing(temperature=temperature, novelty=novelty)
        trouble = self._begin(count, seconds, seed, drawing, told)
        codec = source.codec
        self.title = shortened(f"New sounds of {codec.name}", MOST_IN_A_CELL)
        self.player = PadList(self._board.sound, spectrogram=codec.spectrogram.config,
                              name=self.title, empty="no sounds yet")  # fmt: skip
        self.settings = PadSettings(drawing, seconds, source.config, told)
        self.folder_field = labelled(
            ipywidgets.Text, "Export to", value="generated", continuous_update=False
        )
        self.says = Sentence()
        self.buttons = [
            button("New sound", lambda: self._do(self.new), hint="drawn with another seed"),
            button("Undo", lambda: self._do(self.undo), hint="back to the sounds before"),
            button("Export the kept", self._on_export, hint="writes them to new files"),
        ]
        new, undo, export = self.buttons
        self.grid = ipywidgets.VBox([])
        super().__init__(
            [
                style_sheet(), *self.settings.fields, row(new, undo), self.player,
                row(self.folder_field, export), self.says, self.grid,
            ],
            "distill-card",
        )  # fmt: skip
        self.settings.seed.observe(lambda _: self._on_seed(), "value")
        for kind, do in (
            ("keep", self.keep), ("discard", self.discard), ("vary", self.vary),
            ("extend", self.extend), ("alike", self.more_like), ("show", self.show_codes),
            ("loop", self.loop),
        ):  # fmt: skip
            self.player.command(kind, _done_with(do))
        self.player.command("fill", _done_with(self.fill, "from_s", "to_s"))
        self._show()
        if trouble:
            self.says.say(trouble)
        self._board.on_piece = self._on_piece
        self._board.on_end = self._on_end

    def _begin(self, *asked: Any) -> str:
        """Fills the board; returns why it could not, where that may be otherwise soon."""
        try:
            self._board.begin(*asked)
        except RunFolderError as error:  # a run that starts has no weights yet
            return printable(str(error))
        return ""

    @property
    def numbers(self) -> tuple[int, ...]:
        """Of the sounds that are there, the newest first."""
        return tuple(pad.number for pad in self._board.pads)

    @property
    def kept(self) -> tuple[Codes, ...]:
        """Codes of the sounds that somebody keeps, in the order in which they were made."""
        return tuple(pad.codes for pad in self._board.kept)

    def codes(self, number: int) -> Codes:
        """The codes of a sound; `model.decode` makes them audible.

        Raises:
            PartError: no such sound.
        """
        return self._board.pad(number).codes

    def new(self, seed: int | None = None) -> int:
        """Adds a new sound and has it played; returns its number.

        Args:
            seed: None for one by chance, which is shown.

        Raises:
            ConfigError: a seed or a loudness that is none, or every pad is kept.
        """
        asked = self.settings
        return self._added(self._board.new, asked.length_s, seed, asked.drawing, asked.told)

    def vary(self, number: int) -> int:
        """Adds a sound of the same structure with other detail; returns its number.

        Raises:
            PartError: no such sound.
            ConfigError: a model of one level, or every pad is kept.
        """
        return self._added(self._board.vary, number, self.settings.drawing)

    def extend(self, number: int) -> int:
        """Adds the same sound with what may follow it; returns its number.

        Raises:
            PartError: no such sound.
            ConfigError: it would be longer than 60 s, or every pad is kept.
        """
        asked = self.settings
        return self._added(self._board.extend, number, asked.length_s, asked.drawing, asked.told)

    def more_like(self, number: int) -> int:
        """Adds a sound that begins as one does and goes on in another way; returns its number.

        Raises:
            PartError: no such sound.
            ConfigError: every pad is kept.
        """
        return self._added(self._board.alike, number, self.settings.drawing)

    def fill(self, number: int, from_s: float, to_s: float) -> int:
        """Adds the same sound with what is new between two moments; returns its number.

        Args:
            number: of the sound.
            from_s: where the gap begins.
            to_s: where it ends, up to the end of the sound.

        Raises:
            PartError: no such sound.
            ConfigError: moments outside the sound, or in the wrong order, or every pad is kept.
        """
        asked = self.settings
        return self._added(self._board.fill, number, from_s, to_s, asked.drawing, asked.told)

    def loop(self, number: int) -> int:
        """Adds a sound that goes on from one and ends where it begins; returns its number.

        Raises:
            PartError: no such sound.
            ConfigError: several levels of loudness, which a loop has no places for, or every pad is
                kept.
        """
        asked = self.settings
        return self._added(self._board.loop, number, asked.length_s, asked.drawing, asked.told)

    def keep(self, number: int, kept: bool | None = None) -> None:
        """Marks a sound as one that stays, and is exported.

        Args:
            number: of the sound.
            kept: None turns the mark.

        Raises:
            PartError: no such sound.
        """
        self._board.keep(number, kept=kept)
        self._show()

    def discard(self, number: int) -> None:
        """Takes a sound off; `undo` brings it back.

        Raises:
            PartError: no such sound.
        """
        self._board.discard(number)
        self._show()

    def undo(self) -> None:
        """Goes back to the sounds before; does nothing at the first ones."""
        self._board.undo()
        self._show()

    def show_codes(self, number: int) -> CodesView:
        """Shows the codes of a sound below, in the place of another's.

        Raises:
            PartError: no such sound.
        """
        view = CodesView(self._board.model, self.codes(number), name=f"sound {number}")
        earlier, self.grid.children = self.grid.children, (view,)
        for one in earlier:
            one.close()
        return view

    def export(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Writes the sounds that are kept to new files, never over another; returns their paths.

        Each is marked as made by this model, and has the recipe that gives it again in its comment,
        for `model.remake`; that of a run that still learns needs the weights of that moment, which
        `runner.present_weights().model.save(path)` keeps. What stands in the folder already is not
        written twice.

        Args:
            folder: made where there is none.

        Raises:
            OutputExistsError: an empty path, or a file in the place of the folder.
            PartError: nothing is kept.
            AudioFileError: a file cannot be written.
        """
        return self._files.export(folder)

    def _added(self, draw: Callable[..., Pad], *asked: Any) -> int:
        try:
            return draw(*asked).number
        finally:
            self._show()

    def _on_piece(self, asked: Asked, piece: Tensor) -> None:
        place = self._pieces.get(asked, 0)
        self._pieces[asked] = place + 1
        if place == 0:
            self._show()
        self.player.send_piece(asked.number, place, piece, self._board.model.sample_rate)

    def _on_end(self, asked: Asked) -> None:
        self._pieces.pop(asked, None)

    def _on_seed(self) -> None:
        if not self._is_showing:
            self._do(lambda: self.new(self.settings.typed_seed))

    def _on_export(self) -> None:
        def export() -> None:
            paths = self.export(str(self.folder_field.value))
            files = counted(len(paths), "sound")
            self.says.say(f"{files} in {printable(paths[0].parent)}.", "good")

        self._do(export)

    def _do(self, action: Callable[[], Any]) -> None:
        self.says.attempt(action, self._show)

    def _show(self) -> None:
        pads = self._board.pads
        self._is_showing = True
        try:
            if pads:
                newest = max(pads, key=lambda pad: pad.number)
                self.settings.seed.value = str(newest.asked.seed)
        finally:
            self._is_showing = False
        self.buttons[1].disabled = not self._board.undos
        self.buttons[2].disabled = not self._board.kept
        self.player.show_pads(pads, tuple(self._pieces))

    def _rows(self) -> list[tuple[str, str, str]]:
        return [
            (str(pad.number), about(pad.asked), shortened(str(pad.shared), MOST_IN_A_CELL))
            for pad in self._board.pads
        ]

    def saved_html(self) -> str:
        """What a saved notebook shows: which sounds there were, and what they had copied."""
        return html_page(self.title, html_table(_COLUMNS, self._rows()))

    def __repr__(self) -> str:
        return f"Generator({self.title})\n{text_table(_COLUMNS, self._rows())}"


def _done_with(do: Callable[..., Any], *more: str) -> Callable[[dict[str, Any]], Mapping[str, Any]]:
    """A command of a page, for the sound of the number that it names; `more` is named too."""

    def command(asked: dict[str, Any]) -> Mapping[str, Any]:
        do(*(asked.get(name) for name in ("number", *more)))
        return {}

    return command
