"""LatentWalk: a sound moved along directions of a latent space, and the way back."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from distill.analysis.latent.directions import Direction
from distill.analysis.sound.sound_cache import SoundCache
from distill.arrays import as_float, as_int
from distill.errors import ConfigError, LatentsError, PartError
from distill.latent.latents import Latents
from distill.markup import plain
from distill.models.use.loaded_vae import LoadedVAE
from distill_widgets.inside.latent_sound import LatentSound
from distill_widgets.sounds.audio_player import Sound

MOST = 3.0
"""Standard deviations that a sound is moved along a direction at most."""
HIGHEST_SEED = 2**32 - 1
_MOST_UNDOS = 1000
_CACHE_BYTES = 1 << 26
_LONGEST_ECHO = 60


@dataclass(frozen=True)
class Position:
    """Where a sound is moved to."""

    amounts: tuple[float, ...]
    """How far along each direction, in standard deviations."""
    seed: int
    """What the last surprise was drawn with."""


class LatentWalk:
    """A sound, where it is moved to, and every position before.

    A page names its sounds by key, `original/` or `moved/` and `SEED/AMOUNT,AMOUNT,…`.

    Args:
        model: of the directions.
        directions: to move along.
        sound: to be moved; None for new ones, another for each seed.
        seconds: length of a new one.
        seed: of the first one.

    Raises:
        ConfigError: no directions, or a length or seed that is none.
        LatentsError: directions of a model with other dimensions.
    """

    def __init__(
        self,
        model: LoadedVAE,
        directions: Sequence[Direction],
        sound: LatentSound | None,
        *,
        seconds: float,
        seed: int,
    ) -> None:
        check_directions(directions, model)
        self.model, self.directions = model, tuple(directions)
        self.position = Position((0.0,) * len(self.directions), checked_seed(seed))
        self._sound, self._seconds = sound, seconds
        self._past: list[Position] = []
        self._moving = threading.Lock()  # pages and cells may move it at once
        self._sounds = SoundCache(_CACHE_BYTES)
        self.seconds = self._start(self.position.seed).seconds
        """Length of the sound."""

    @property
    def latents(self) -> Latents:
        """The sound as it is moved now."""
        return self._moved(self.position)

    @property
    def undos(self) -> int:
        """Positions to go back to."""
        return len(self._past)

    @property
    def stage(self) -> str:
        """Where the sound is now, as its keys name it: `original/STAGE` and `moved/STAGE`."""
        amounts = ",".join(map(str, self.position.amounts))
        return f"{self.position.seed}/{amounts}"

    def sound(self, key: str) -> Sound:
        """The sound of a key, made when it is asked for.

        Raises:
            PartError: no such key.
        """
        kind, _, rest = key.partition("/")
        seed, _, amounts = rest.partition("/")
        try:
            if kind == "moved":
                return self._decoded(self._position(amounts.split(","), seed))
            if kind == "original":
                return self._recording or self._decoded(Position((), checked_seed(seed)))
        except (ConfigError, ValueError) as error:
            raise PartError(f"{plain(key, _LONGEST_ECHO)}: no such sound ({error})") from error
        raise PartError(f"{plain(key, _LONGEST_ECHO)}: no such sound")

    def move(self, amounts: Sequence[float]) -> None:
        """Moves the sound to other places on all directions.

        Raises:
            ConfigError: not a number for each direction, or one beyond `MOST`.
        """
        self._go(self._position(amounts, self.position.seed))

    def surprise(self, seed: object) -> None:
        """Moves the sound to where a seed leads; a sound that was not given is another one then.

        Raises:
            ConfigError: a seed that is none.
        """
        number, count = checked_seed(seed), len(self.directions)
        drawn = np.random.default_rng(number).normal(size=count).clip(-MOST, MOST).round(1)
        amounts = drawn.tolist() if self._sound else [0.0] * count
        self._go(self._position(amounts, number))

    def undo(self) -> None:
        """Goes back to the position before; does nothing at the first one."""
        with self._moving:
            if self._past:
                self.position = self._past.pop()

    @property
    def _recording(self) -> Sound | None:
        return self._sound.recording if self._sound else None

    def _position(self, amounts: object, seed: object) -> Position:
        count = len(self.directions)
        if not isinstance(amounts, Sequence) or len(amounts) != count:
            raise ConfigError(f"amounts={plain(amounts, _LONGEST_ECHO)}: expected {count} numbers")
        return Position(tuple(map(_checked_amount, amounts)), checked_seed(seed))

    def _go(self, position: Position) -> None:
        with self._moving:
            if position != self.position:
                self._past = [*self._past, self.position][-_MOST_UNDOS:]
                self.position = position

    def _start(self, seed: int) -> Latents:
        """The sound before it is moved."""
        return self._sound.latents if self._sound else self.model.sample(1, self._seconds, seed)[0]

    def _moved(self, position: Position) -> Latents:
        latents = self._start(position.seed)
        for direction, amount in zip(self.directions, position.amounts, strict=False):
            latents = direction.moved(latents, amount)
        return latents

    def _decoded(self, position: Position) -> Sound:
        made = self._sounds.get(position, lambda: self.model.decode(self._moved(position))[0])
        return made.cpu().numpy(), self.model.sample_rate


def check_directions(directions: Sequence[Direction], model: LoadedVAE) -> None:
    """Checks that there are directions, and that a model's sounds can be moved along them.

    Raises:
        ConfigError: there are none.
        LatentsError: of a model with other dimensions.
    """
    if not directions:
        raise ConfigError("no directions: expected those of principal_directions(model)")
    for direction in directions:
        if len(direction.vector) != model.dims:
            raise LatentsError(
                f"a direction of {len(direction.vector)} dimensions: {plain(model.name)} has "
                f"{model.dims}; expected those of principal_directions(model)"
            )


def checked_seed(seed: object) -> int:
    """A seed, as a number or as somebody typed it.

    Raises:
        ConfigError: it is none.
    """
    typed = seed.strip() if isinstance(seed, str) else ""
    is_typed = typed.isascii() and typed.isdecimal() and len(typed) <= len(str(HIGHEST_SEED))
    number = int(typed) if is_typed else as_int(seed)
    if number is None or not 0 <= number <= HIGHEST_SEED:
        raise ConfigError(
            f"seed={plain(seed, _LONGEST_ECHO)}: expected a whole number from 0 to {HIGHEST_SEED}"
        )
    return number


def _checked_amount(amount: object) -> float:
    try:
        number = as_float(float(amount) if isinstance(amount, str) else amount)
    except ValueError:
        number = None
    if number is None or not abs(number) <= MOST:
        raise ConfigError(
            f"amount={plain(amount, _LONGEST_ECHO)}: expected a number from -{MOST:g} to {MOST:g}"
        )
    return number
