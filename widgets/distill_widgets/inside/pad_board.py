"""PadBoard: generated sounds side by side, what others are made of them, and every board before."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from distill.analysis.sound.sound_cache import SoundCache
from distill.arrays import as_int
from distill.codebook.codes import Codes
from distill.errors import ConfigError, PartError
from distill.markup import plain
from distill.models.prior.drawing import Drawing
from distill.models.prior.wanted import wanted_of
from distill.models.use.drawn import checked_seconds, checked_seed, fresh_seed
from distill.models.use.loaded import LoadedVQModel
from distill_widgets.inside.pad_source import PadSource
from distill_widgets.inside.pad_told import ANY, Told
from distill_widgets.inside.pads import Asked, Pad
from distill_widgets.sounds.audio_player import Sound

LONGEST_S = 60.0
"""Of a sound: the page gets it in one piece."""
MOST_PADS = 24
_MOST_UNDOS = 1000
_CACHE_BYTES = 1 << 26
_LONGEST_ECHO = 60
_BEGINNING = 1 / 3
"""How much of a sound others begin with that are to be like it."""


class PadBoard:
    """Generated sounds of a model, the newest first. Where there are many, the oldest that nobody
    keeps make room.

    Args:
        source: makes its sounds.
    """

    def __init__(self, source: PadSource) -> None:
        self._source, self.model = source, source.codec
        self.pads: tuple[Pad, ...] = ()
        self._past: list[tuple[Pad, ...]] = []
        self._numbers = itertools.count(1)
        self._changing = threading.Lock()  # pages and cells may change it at once
        self._sounds = SoundCache(_CACHE_BYTES)
        self.on_piece: Callable[[Asked, Tensor], None] | None = None
        """Called with each piece of a sound, (samples,) float32, as soon as it is drawn."""
        self.on_end: Callable[[Asked], None] | None = None
        """Called when no more pieces of a sound come, whether it is whole or drawing it failed."""

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
            RunFolderError: a run that has no weights yet.
        """
        wanted_of(self._source.config, (), **told.to_dict(), steps=1)
        number = as_int(count)
        if number is None or not 0 <= number <= MOST_PADS:
            raise ConfigError(
                f"count={plain(count, _LONGEST_ECHO)}: expected a whole number from 0 to "
                f"{MOST_PADS}"
            )
        first, length = checked_seed(seed, count=max(1, number)), _checked_length(seconds)
        now = self._source.now() if number else None  # the same for all
        for one in range(first, first + number):
            self.new(length, one, drawing, told, now)
        self._past = []

    def new(
        self,
        seconds: float,
        seed: object,
        drawing: Drawing,
        told: Told = ANY,
        now: tuple[LoadedVQModel, str] | None = None,
    ) -> Pad:
        """Adds a sound that never was.

        Args:
            seconds: its length.
            seed: of its draws; None by chance.
            drawing: how boldly.
            told: what it is to be.
            now: what draws it; None for what the source has at this moment.

        Raises:
            ConfigError: a setting out of its range, or no room.
            RunFolderError: a run that has no weights yet, here as in the others.
        """
        length, drawn = _checked_length(seconds), checked_seed(seed)
        model, weights = now or self._source.now()
        asked = self._asked("new", length, drawing, told, weights, seed=drawn)
        return self._drawn(asked, model, partial(model.generate, length))

    def vary(self, number: object, drawing: Drawing) -> Pad:
        """Adds the sound of a pad with other detail.

        Raises:
            PartError: no such pad.
            ConfigError: see `new`; or a model of one level.
        """
        pad = self.pad(number)
        made, length = f"a variation of sound {pad.number}", pad.codes.seconds
        model, weights = self._source.now()
        asked = self._asked(made, length, drawing, ANY, weights)
        return self._drawn(asked, model, partial(model.vary, pad.codes))

    def extend(self, number: object, seconds: float, drawing: Drawing, told: Told = ANY) -> Pad:
        """Adds the sound of a pad, and what may follow it.

        Raises:
            PartError: no such pad.
            ConfigError: see `new`.
        """
        pad = self.pad(number)
        made = f"sound {pad.number}, continued"
        length = _checked_length(pad.codes.seconds + checked_seconds(seconds))
        model, weights = self._source.now()
        asked = self._asked(made, length, drawing, told, weights)
        return self._drawn(asked, model, partial(model.continue_sound, pad.codes, seconds))

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
        model, weights = self._source.now()
        asked = self._asked(made, codes.seconds, drawing, ANY, weights)
        more = max(left, codes.step_seconds)
        return self._drawn(asked, model, partial(model.continue_sound, begins, more))

    def fill(
        self, number: object, start_s: object, end_s: object, drawing: Drawing, told: Told = ANY
    ) -> Pad:
        """Adds the sound of a pad with what is new between two moments.

        Raises:
            PartError: no such pad.
            ConfigError: see `new`; or moments outside the sound, or in the wrong order.
        """
        pad = self.pad(number)
        first, last = self.model.gap_steps(pad.codes, start_s, end_s)
        begins, ends = first * pad.codes.step_seconds, last * pad.codes.step_seconds
        made = f"sound {pad.number}, new from {begins:.2f} to {min(ends, pad.codes.seconds):.2f} s"
        model, weights = self._source.now()
        asked = self._asked(made, pad.codes.seconds, drawing, told, weights)
        draw = partial(model.fill, pad.codes, cast(float, start_s), cast(float, end_s))
        return self._drawn(asked, model, partial(self._drawn_whole, asked, draw))

    def loop(self, number: object, seconds: float, drawing: Drawing, told: Told = ANY) -> Pad:
        """Adds a sound that goes on from that of a pad, and ends where it begins.

        Raises:
            PartError: no such pad.
            ConfigError: see `new`; or several levels of what does not end.
        """
        pad = self.pad(number)
        made, length = f"a loop that goes on from sound {pad.number}", _checked_length(seconds)
        model, weights = self._source.now()
        asked = self._asked(made, length, drawing, told, weights, loops=True)
        draw = partial(model.loop, length, prompt=pad.codes)
        return self._drawn(asked, model, partial(self._drawn_whole, asked, draw))

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
        made = self._sounds.get(pad.number, lambda: self._decoded(pad.asked, pad.codes))
        return made.cpu().numpy(), self.model.sample_rate

    def write(self, pad: Pad, path: Path) -> None:
        """Writes the sound of a pad to a new file, with its recipe.

        Raises:
            OutputExistsError: something is there.
            AudioFileError: it cannot be written.
        """
        self.model.decode_file(pad.codes, path)

    def _asked(
        self,
        made: str,
        seconds: float,
        drawing: Drawing,
        told: Told,
        weights: str,
        *,
        seed: int | None = None,
        loops: bool = False,
    ) -> Asked:
        drawn = fresh_seed() if seed is None else seed
        number = next(self._numbers)
        return Asked(number, made, seconds, drawn, drawing, told, weights, loops)

    def _decoded(self, asked: Asked, codes: Codes) -> Tensor:
        if asked.loops:
            return self.model.decode_loop(codes)[0]
        return self.model.decode(codes)[0]

    def _drawn_whole(
        self,
        asked: Asked,
        draw: Callable[..., Codes],
        *,
        on_sound: Callable[[Tensor], object] | None,
        **settings: Any,
    ) -> Codes:
        """Draws what nobody can hear before it is whole, and has it heard then."""
        codes = draw(**settings)
        if on_sound is not None:
            on_sound(self._decoded(asked, codes).cpu())
        return codes

    def _drawn(self, asked: Asked, model: LoadedVQModel, draw: Callable[..., Codes]) -> Pad:
        _with_room(self.pads)  # before it is heard
        heard: list[Tensor] = []

        def hear(piece: Tensor) -> None:
            heard.append(piece)
            if self.on_piece is not None:
                self.on_piece(asked, piece)

        try:
            codes = draw(**asked.settings, on_sound=hear if self.on_piece is not None else None)
        finally:
            if self.on_end is not None:
                self.on_end(asked)
        if heard:  # it need not be made again
            self._sounds.get(asked.number, lambda: torch.cat(heard))
        pad = Pad(asked, codes, model.prior.shared_run(codes))
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
