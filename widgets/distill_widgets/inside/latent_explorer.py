"""LatentExplorer: sliders that each change one property of a sound, to be heard at once."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ipywidgets

from distill.analysis.latent.directions import NO_EFFECT, Direction, principal_directions
from distill.errors import OutputExistsError
from distill.latent.latents import Latents
from distill.markup import plain, shortened
from distill.models.use.bottlenecks import check_latent_space
from distill.models.use.loaded_vae import LoadedVAE
from distill.names import printable
from distill.tables import MOST_IN_A_CELL, html_page, html_table, text_table
from distill_widgets.inside.latent_sound import LatentSource, open_sound
from distill_widgets.inside.latent_walk import HIGHEST_SEED, MOST, LatentWalk
from distill_widgets.page.controls import Sentence, button, row, style_sheet
from distill_widgets.page.typed_path import typed_path
from distill_widgets.page.view import View
from distill_widgets.sounds.audio_player import AudioPlayer, SoundRow, Stage

STEP = 0.1
"""Standard deviations from one place of a slider to the next."""
_DIRECTIONS = 6
_COLUMNS = ("direction", "variance", "one standard deviation does")
_KEYS = ("original/{stage}", "moved/{stage}")


class LatentExplorer(View):
    """A slider for each principal direction, named by what it was measured to do to sounds.

    A sound is heard when a slider is let go of, and compared with the one before it was moved.
    "Surprise me" goes where a seed leads: a sound that was given is moved to random places, else
    it is a new one. Of a sound of more than 20 s the beginning is taken.

    Args:
        model: a trained one.
        sound: (waveform (samples,) float, its sample rate in Hz), the path of a sound file, or
            `Latents` of this model; None for new sounds, another for each seed.
        directions: of `principal_directions(model)`; by default its first six, which takes some
            seconds.
        seconds: length of a new sound.
        seed: of the first new sound.
        name: the title; default the file's name.

    Raises:
        ModelTypeError: a model without continuous latents; says what serves it.
        LatentsError: latents of another model, or something that is no sound.
        ShapeError, ConfigError: a waveform that is not mono; a rate, length or seed that is none.
        AudioFileError: a file that cannot be read.

    Example:
        `explorer = LatentExplorer(model, "take3.wav")`, shown as the last line of a cell; then
        `explorer.latents` is what the sliders make of it.
    """

    def __init__(
        self,
        model: LoadedVAE,
        sound: LatentSource | None = None,
        *,
        directions: Sequence[Direction] | None = None,
        seconds: float = 2.0,
        seed: int = 0,
        name: str | None = None,
    ) -> None:
        check_latent_space(model, "LatentExplorer")
        opened = None if sound is None else open_sound(model, sound)
        measured = principal_directions(model, _DIRECTIONS) if directions is None else directions
        self._walk = LatentWalk(model, measured, opened, seconds=seconds, seed=seed)
        title = (opened.name if opened else "") or f"Sounds of {model.name}"
        self.title = shortened(title if name is None else name, MOST_IN_A_CELL)
        self._is_showing = False  # what the kernel sets itself is no request of a person
        first = "original" if opened and opened.recording else "not moved"
        self._row = SoundRow(self.title, self._walk.seconds, (first, "moved"), _KEYS)
        self.player = AudioPlayer(
            self._walk.sound, spectrogram=model.spectrogram.config, name=self.title
        )
        self.sliders = [_slider(direction) for direction in self.directions]
        self.seed_field = _text("Seed", str(seed))
        self.file_field = _text("Save as", _free_name())
        self.says = Sentence()
        self.buttons = [
            button("Undo", lambda: self._do(self.undo), hint="back to where the sliders were"),
            button("Surprise me", lambda: self._do(self.surprise), hint="where a seed leads"),
            button("Save", self._on_save, hint="writes the sound as it is now to a new file"),
        ]
        undo, surprise, save = self.buttons
        controls = row(undo, surprise, self.seed_field), row(self.file_field, save)
        super().__init__(
            [style_sheet(), *self.sliders, *controls, self.says, self.player], "distill-card"
        )
        for slider in self.sliders:
            slider.observe(lambda _: self._on_slide(), "value")
        self.seed_field.observe(lambda _: self._on_seed(), "value")
        self._show()

    @property
    def directions(self) -> tuple[Direction, ...]:
        """What the sliders move along."""
        return self._walk.directions

    @property
    def amounts(self) -> tuple[float, ...]:
        """Where the sliders are, in standard deviations."""
        return self._walk.position.amounts

    @property
    def seed(self) -> int:
        """What the last surprise was drawn with."""
        return self._walk.position.seed

    @property
    def latents(self) -> Latents:
        """What the sliders make of the sound; `model.decode` makes it audible."""
        return self._walk.latents

    def move(self, amounts: Sequence[float]) -> None:
        """Moves all sliders.

        Args:
            amounts: a number for each, from -3 to 3 standard deviations.

        Raises:
            ConfigError: other numbers.
        """
        self._walk.move(amounts)
        self._show(plays=True)

    def undo(self) -> None:
        """Goes back to where the sliders were before; does nothing at the first place."""
        self._walk.undo()
        self._show(plays=True)

    def surprise(self, seed: int | None = None) -> int:
        """Goes where a seed leads; returns the seed.

        Args:
            seed: None for a random one.

        Raises:
            ConfigError: a seed that is none.
        """
        self._walk.surprise(secrets.randbelow(HIGHEST_SEED + 1) if seed is None else seed)
        self._show(plays=True)
        return self.seed

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes the sound as it is now to a new file; returns its path.

        Args:
            path: its ending says the format; without one it is WAV. It is marked as made by a
                model.

        Raises:
            OutputExistsError: something is there already, or the path is empty.
            AudioFileError: it cannot be written.
        """
        if not str(path).strip():
            raise OutputExistsError("an empty path: expected where to save the sound")
        target = typed_path(path)
        target = target if target.suffix else target.with_name(f"{target.name}.wav")
        if os.path.lexists(target):  # also one that was saved here: two sounds are two files
            raise OutputExistsError(f"{printable(target)}: exists already; choose another name")
        return self._walk.model.decode_file(self.latents, target)

    def _on_slide(self) -> None:
        if not self._is_showing:
            self._do(lambda: self.move([slider.value for slider in self.sliders]))

    def _on_seed(self) -> None:
        if not self._is_showing:
            self._do(lambda: self.surprise(self._typed_seed))

    @property
    def _typed_seed(self) -> Any:
        typed = str(self.seed_field.value).strip()
        return typed or None

    def _on_save(self) -> None:
        def save() -> None:
            saved = self.save(str(self.file_field.value))
            self.file_field.value = _free_name()
            self.says.say(f"Saved {printable(saved)}.", "good")

        self._do(save)

    def _do(self, action: Callable[[], Any]) -> None:
        self.says.attempt(action, self._show)

    def _show(self, *, plays: bool = False) -> None:
        position = self._walk.position
        self._is_showing = True
        try:
            for slider, amount in zip(self.sliders, position.amounts, strict=True):
                slider.value = amount
            self.seed_field.value = str(position.seed)
        finally:
            self._is_showing = False
        self.buttons[0].disabled = not self._walk.undos
        self.player.show([self._row], [Stage(self._walk.stage, "")])
        if plays:
            self.player.play()

    def _rows(self) -> list[tuple[str, str, str]]:
        return [
            (str(number), f"{direction.share:.0%}", shortened(direction.name, MOST_IN_A_CELL))
            for number, direction in enumerate(self.directions, 1)
        ]

    def saved_html(self) -> str:
        """What a saved notebook shows: what the sliders were measured to do."""
        return html_page(self.title, html_table(_COLUMNS, self._rows()))

    def __repr__(self) -> str:
        return f"LatentExplorer({self.title})\n{text_table(_COLUMNS, self._rows())}"


def _slider(direction: Direction) -> Any:
    slider = ipywidgets.FloatSlider(
        min=-MOST,
        max=MOST,
        step=STEP,
        continuous_update=False,  # played when it is let go of
        readout_format="+.1f",
        description=plain(direction.name),
        style={"description_width": "260px"},
        layout=ipywidgets.Layout(width="620px", max_width="100%"),
    )
    hint = "tooltip" if slider.has_trait("tooltip") else "description_tooltip"  # ipywidgets 7
    slider.set_trait(hint, _effects(direction))
    return slider


def _text(label: str, value: str) -> Any:
    return ipywidgets.Text(
        value=value,
        description=label,
        continuous_update=False,
        layout=ipywidgets.Layout(width="260px", max_width="100%"),
    )


def _effects(direction: Direction) -> str:
    """All that one standard deviation was measured to do, for whoever points at it."""
    said = [
        f"{effect.measure} {effect.change:+.2g} {effect.unit}"
        for effect in direction.effects
        if effect.clear
    ]
    return plain("one standard deviation: " + (", ".join(said) or NO_EFFECT))


def _free_name() -> str:
    """A name for the next file, in the kernel's folder."""
    numbers = range(1, 10_000)
    names = (f"sound-{number}.wav" for number in numbers)
    return next((name for name in names if not os.path.lexists(name)), "")
