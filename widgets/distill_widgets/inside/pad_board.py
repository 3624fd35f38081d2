"""PadBoard: generated sounds side by side, what others are made of them, and every board before."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from distill.analysis.sound.sound_cache import SoundCache
from distill.arrays import as_int
from distill.codebook.codes import Codes
from distill.errors import ConfigError, PartError
from distill.markup import plain
from distill.models.prior.copying import SharedRun
from distill.models.prior.drawing import Drawing
from distill.models.use.bottlenecks import check_codebooks
from distill.models.use.drawn import checked_seconds, checked_seed, fresh_seed
from distill.models.use.loaded import LoadedVQModel
from distill_widgets.inside.pad_told import ANY, Told
from distill_widgets.sounds.audio_player import Sound

LONGEST_S = 60.0
"""Of a sound: the page gets it in one piece."""
MOST_PADS = 24
_MOST_UNDOS = 1000
_CACHE_BYTES = 1 << 26
_LONGEST_ECHO = 60
_BEGINNING = 1 / 3
"""How much of a sound others begin with that are to be like it."""


@dataclass(frozen=True)
class Asked:
    """A sound that is to be drawn."""

    number: int
    """From 1; no other pad ever has it."""
    made: str
    """How, in words."""
    seconds: float
    """About its length."""
    seed: int
    """What is drawn of it is drawn with this seed, ..."""
    drawing: Drawing
    """... and as boldly as this."""
    told: Told = ANY
    """What it is asked to be."""
    is_new: bool = False
    """Whether it is made of no other pad."""

    @property
    def settings(self) -> dict[str, Any]:
        """As the methods of a model take them."""
        return {"seed": self.seed, **self.drawing.to_dict(), **self.told.to_dict()}


@dataclass(frozen=True)
class Pad:
    """A generated sound."""

    asked: Asked
    codes: Codes
    shared: SharedRun
    """What it has copied."""
    kept: bool = False

    @property
    def number(self) -> int:
        """See `Asked`."""
        return self.asked.number


class PadBoard:
    """Generated sounds of a model, the newest first. Where there are many, the oldest that nobody
    keeps make room.

    Args:
        model: with a prior.

    Raises:
        ModelTypeError: a model without codebooks.
        PriorError: a model without a prior; says how to train one.
    """

    def __init__(self, model: LoadedVQModel) -> None:
        check_codebooks(model, "Generator")
        self.model, self.prior = model, model.prior
        self.pads: tuple[Pad, ...] = ()
        self._past: list[tuple[Pad, ...]] = []
        self._numbers = itertools.count(1)
        self._changing = threading.Lock()  # pages and cells may change it at once
        self._sounds = SoundCache(_CACHE_BYTES)
        self.on_piece: Callable[[Asked, Tensor], None] | None = None
        """Called with each piece of a sound, (samples,) float32, as soon as it is drawn."""

    @property
    def undos(self) -> int:
        """Boards to go back to."""
        return len(self._past)

    @property
    def kept(self) -> tuple[Pad, ...]:
        """The pads that somebody keeps, in the order in which they were made."""
        return tuple(sorted((pad for pad in self.pads if pad.kept), key=lambda pad: pad.number))

    def pad(self, number: object) -> Pad:
        """The pad of a number.

        Raises:
            PartError: there is none.
        """
        wanted = as_int(number)
        for pad in self.pads:
            if pad.number == wanted:
                return pad
        raise PartError(f"sound {plain(number, _LONGEST_ECHO)}: not on the board")

    def begin(
        self, count: object, seconds: object, seed: object, drawing: Drawing, told: Told = ANY
    ) -> None:
        """Fills the board with new sounds; it is the first one.

        Raises:
            PriorError: the prior cannot be told that.
            ConfigError: a count, length or seed out of its range, or a class that nobody knows.
        """
        self.prior.wanted(**told.to_dict(), steps=1)
        number = as_int(count)
        if number is None or not 0 <= number <= MOST_PADS:
            raise ConfigError(
                f"count={plain(count, _LONGEST_ECHO)}: expected a whole number from 0 to "
                f"{MOST_PADS}"
            )
        first, length = checked_seed(seed, count=max(1, number)), _checked_length(seconds)
        for one in range(first, first + number):
            self.new(length, one, drawing, told)
        self._past = []

    def new(self, seconds: float, seed: object, drawing: Drawing, told: Told = ANY) -> Pad:
        """Adds a sound that never was.

        Raises:
            ConfigError: a setting out of its range, or no room.
        """
        length = _checked_length(seconds)
        asked = Asked(next(self._numbers), "new", length, checked_seed(seed), drawing, told, True)
        return self._drawn(asked, partial(self.model.generate, length))

    def vary(self, number: object, drawing: Drawing) -> Pad:
        """Adds the sound of a pad with other detail.

        Raises:
            PartError: no such pad.
            ConfigError: see `new`; or a model of one level.
        """
        pad = self.pad(number)
        made, length = f"a variation of sound {pad.number}", pad.codes.seconds
        asked = Asked(next(self._numbers), made, length, fresh_seed(), drawing)
        return self._drawn(asked, partial(self.model.vary, pad.codes))

    def extend(self, number: object, seconds: float, drawing: Drawing, told: Told = ANY) -> Pad:
        """Adds the sound of a pad, and what may follow it.

        Raises:
            PartError: no such pad.
            ConfigError: see `new`.
        """
        pad = self.pad(number)
        made = f"sound {pad.number}, continued"
        length = _checked_length(pad.codes.seconds + checked_seconds(seconds))
        asked = Asked(next(self._numbers), made, length, fresh_seed(), drawing, told)
        return self._drawn(asked, partial(self.model.continue_sound, pad.codes, seconds))

    def alike(self, number: object, drawing: Drawing) -> Pad:
        """Adds a sound that begins as that of a pad does, and goes on in another way.

        Raises:
            PartError: no such pad.
            ConfigError: see `new`.
        """
        pad = self.pad(number)
        codes, made = pad.codes, f"begins as sound {pad.number}"
        step = round(codes.step_seconds * codes.sample_rate)  # in samples
        # The last step of a sound is not whole, and is drawn anew.
        grid = codes.indices[:, : 1 + max(1, round(_BEGINNING * codes.steps))]
        begins = self.model.codes_of(grid, grid.shape[1] * step - 1, codes.peak)
        left = codes.seconds - codes.step_seconds * max(1, grid.shape[1] - 1)
        asked = Asked(next(self._numbers), made, codes.seconds, fresh_seed(), drawing)
        more = max(left, codes.step_seconds)
        return self._drawn(asked, partial(self.model.continue_sound, begins, more))

    def keep(self, number: object, *, kept: bool | None = None) -> None:
        """Marks a pad as one that stays and is exported; None: turns the mark.

        Raises:
            PartError: no such pad.
        """
        pad = self.pad(number)
        marked = replace(pad, kept=not pad.kept if kept is None else kept)
        self._change(lambda pads: tuple(marked if p.number == pad.number else p for p in pads))

    def discard(self, number: object) -> None:
        """Takes a pad off.

        Raises:
            PartError: no such pad.
        """
        gone = self.pad(number).number
        self._change(lambda pads: tuple(pad for pad in pads if pad.number != gone))

    def undo(self) -> None:
        """Goes back to the board before; does nothing at the first one."""
        with self._changing:
            if self._past:
                self.pads = self._past.pop()

    def sound(self, key: str) -> Sound:
        """The sound of a pad, decoded when it is asked for.

        Args:
            key: its number, as text.

        Raises:
            PartError: no such pad.
        """
        pad = self.pad(int(key) if key.isascii() and key.isdecimal() else key)
        made = self._sounds.get(pad.number, lambda: self.model.decode(pad.codes)[0])
        return made.cpu().numpy(), self.model.sample_rate

    def write(self, pad: Pad, path: Path) -> None:
        """Writes the sound of a pad to a new file, with its recipe where it has one.

        Raises:
            OutputExistsError: something is there.
            AudioFileError: it cannot be written.
        """
        if pad.asked.is_new:
            self.model.generate_file(path, pad.asked.seconds, **pad.asked.settings)
        else:
            self.model.decode_file(pad.codes, path)

    def _drawn(self, asked: Asked, draw: Callable[..., Codes]) -> Pad:
        _with_room(self.pads)  # before it is heard
        heard: list[Tensor] = []

        def hear(piece: Tensor) -> None:
            heard.append(piece)
            if self.on_piece is not None:
                self.on_piece(asked, piece)

        codes = draw(**asked.settings, on_sound=hear if self.on_piece is not None else None)
        if heard:  # it need not be made again
            self._sounds.get(asked.number, lambda: torch.cat(heard))
        pad = Pad(asked, codes, self.prior.shared_run(codes))
        self._change(lambda pads: (pad, *_with_room(pads)))
        return pad

    def _change(self, change: Callable[[tuple[Pad, ...]], tuple[Pad, ...]]) -> None:
        with self._changing:
            pads = change(self.pads)
            if pads != self.pads:
                self._past = [*self._past, self.pads][-_MOST_UNDOS:]
                self.pads = pads


def _with_room(pads: tuple[Pad, ...]) -> tuple[Pad, ...]:
    """The pads without the oldest that nobody keeps, where there is no room for one more."""
    if len(pads) < MOST_PADS:
        return pads
    for at in range(len(pads) - 1, -1, -1):
        if not pads[at].kept:
            return pads[:at] + pads[at + 1 :]
    raise ConfigError(
        f"{MOST_PADS} sounds, and all are kept: export them, and discard some to make room"
    )


def _checked_length(seconds: object) -> float:
    length = checked_seconds(seconds)
    if length > LONGEST_S:
        raise ConfigError(
            f"{length:g} seconds: pads hold up to {LONGEST_S:g}; model.generate_file(path, "
            "seconds) and distill generate make longer sounds"
        )
    return length
