"""Principal directions of a latent space, each named by what it was measured to do to sounds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from distill.analysis.latent.measures import MEASURES
from distill.arrays import as_float, as_int
from distill.errors import ConfigError, LatentsError
from distill.latent.latents import LARGEST, Latents
from distill.models.use.bottlenecks import check_latent_space
from distill.models.use.loaded_vae import LoadedVAE

NO_EFFECT = "no clear effect"
CLEAR = 0.2
"""Standard units that a measure has to move to give a direction its name."""
_CERTAIN = 2.0  # standard errors that a mean effect must lie beside zero
_LEAST_SOUNDS = 3
_SOUNDS, _SECONDS = 12, 0.75
_MOST_SECONDS = 1.5


@dataclass(frozen=True)
class Effect:
    """What one deviation along a direction does to one measure."""

    measure: str
    unit: str
    change: float
    """Mean over the sounds, in `unit`; NaN where too few of them could be measured."""
    standard: float
    """The same, in standard deviations of the measure over the sounds."""
    clear: bool
    """Whether it is large enough, and the sounds agree well enough, to speak of it."""


@dataclass(frozen=True, eq=False)
class Direction:
    """A principal direction, and what it does."""

    vector: np.ndarray
    """(dims,) float64, read-only: one standard deviation of the latents along it."""
    share: float
    """Of the latents' variance, 0 to 1."""
    effects: tuple[Effect, ...]
    """One for each measure."""

    @property
    def main(self) -> Effect | None:
        """The clear effect that is largest in standard units; None where nothing moves."""
        clear = [effect for effect in self.effects if effect.clear]
        return max(clear, key=lambda effect: abs(effect.standard), default=None)

    @property
    def name(self) -> str:
        """As `brightness +0.41 octaves (1.2 sd)`, for one deviation."""
        main = self.main
        if main is None:
            return NO_EFFECT
        return f"{main.measure} {main.change:+.2g} {main.unit} ({abs(main.standard):.1f} sd)"

    def moved(self, latents: Latents, amount: float) -> Latents:
        """A sound's latents moved along the direction, all steps alike.

        Args:
            latents: of the model whose direction it is.
            amount: in standard deviations.

        Raises:
            LatentsError: no latents, other dimensions, or an amount that is none.
        """
        if not isinstance(latents, Latents):
            raise LatentsError(
                f"a {type(latents).__name__} where latents were expected: what `encode` returns"
            )
        many = as_float(amount)
        if many is None or not abs(many) <= LARGEST:
            raise LatentsError(f"amount={amount!r}: expected a number of standard deviations")
        if latents.dims != len(self.vector):
            raise LatentsError(
                f"latents of {latents.dims} dimensions; this direction has {len(self.vector)}"
            )
        return latents.with_values(latents.values + many * self.vector[:, None])


def principal_directions(
    model: LoadedVAE, count: int = 6, *, sounds: Sequence[Latents] | None = None, seed: int = 0
) -> tuple[Direction, ...]:
    """The directions in which latents vary most, largest first, named by what they do.

    Each direction is tried out: some sounds are moved one deviation along it and one against it,
    decoded, and measured. The measure that moves most, in standard deviations of that measure over
    the sounds, gives the name, where it moves at all. A direction leads to where that measure
    grows.

    Args:
        model: whose latents.
        count: how many directions; fewer where the latents have fewer dimensions.
        sounds: to take the directions from and to try them on, from `model.encode`, three at
            least; by default the statistics of the training sounds that the model keeps, and new
            sounds.
        seed: of the new sounds.

    Raises:
        ModelTypeError: a model without continuous latents; says what serves it.
        ConfigError: a count or seed that is none, or too few sounds.
        LatentsError: sounds of another model.
    """
    check_latent_space(model, "principal_directions")
    many = as_int(count)
    if many is None or many < 1:
        raise ConfigError(f"count={count!r}: expected a whole number of at least 1")
    if sounds is not None and not isinstance(sounds, Sequence):
        raise ConfigError(f"sounds is a {type(sounds).__name__}: expected a list of Latents")
    if sounds is not None and len(sounds) < _LEAST_SOUNDS:
        raise ConfigError(f"{len(sounds)} sounds: expected at least {_LEAST_SOUNDS}")
    for sound in sounds or ():
        model.check_latents(sound)
    tried = model.sample(_SOUNDS, _SECONDS, seed) if sounds is None else _some(sounds)
    covariance = model.covariance if sounds is None else _covariance(sounds)
    spread = _spread([_measured(model, sound) for sound in tried])
    return tuple(
        _direction(model, vector, share, tried, spread)
        for vector, share in _components(covariance, many)
    )


def _spread(measured: list[np.ndarray]) -> list[float]:
    """Standard deviation of each measure over sounds; 0 where too few have the property."""
    columns = (column[np.isfinite(column)] for column in np.transpose(measured))
    return [float(column.std()) if len(column) >= _LEAST_SOUNDS else 0.0 for column in columns]


def _components(covariance: np.ndarray, count: int) -> list[tuple[np.ndarray, float]]:
    """Vectors as long as a deviation, and shares of the variance, largest first."""
    values, vectors = np.linalg.eigh(covariance)
    values = values.clip(min=0)
    total = float(values.sum()) or 1.0
    largest = np.argsort(values)[::-1][:count]
    return [(vectors[:, i] * math.sqrt(values[i]), float(values[i]) / total) for i in largest]


def _covariance(sounds: Sequence[Latents]) -> np.ndarray:
    steps = np.concatenate([sound.values for sound in sounds], axis=1).astype(np.float64)
    return np.atleast_2d(np.cov(steps, bias=True))


def _some(sounds: Sequence[Latents]) -> list[Latents]:
    """A dozen of many sounds, evenly spread, the beginning of each."""
    places = np.linspace(0, len(sounds) - 1, min(len(sounds), _SOUNDS)).round().astype(int)
    return [_beginning(sounds[place]) for place in places]


def _beginning(sound: Latents) -> Latents:
    samples = min(sound.samples, round(_MOST_SECONDS * sound.sample_rate))
    steps = min(sound.steps, math.ceil(_MOST_SECONDS / sound.step_seconds) + 1)
    return Latents(
        values=sound.values[:, :steps],
        step_seconds=sound.step_seconds,
        samples=samples,
        sample_rate=sound.sample_rate,
        made_by=sound.made_by,
        model_name=sound.model_name,
    )


def _direction(
    model: LoadedVAE,
    vector: np.ndarray,
    share: float,
    tried: Sequence[Latents],
    spread: list[float],
) -> Direction:
    one = Direction(vector, share, ())
    changes = [
        (_measured(model, one.moved(sound, 1)) - _measured(model, one.moved(sound, -1))) / 2
        for sound in tried
    ]
    effects = tuple(
        _effect(measure.name, measure.unit, column[np.isfinite(column)], deviation)
        for measure, column, deviation in zip(MEASURES, np.transpose(changes), spread, strict=True)
    )
    return _upward(Direction(vector, share, effects))


def _measured(model: LoadedVAE, sound: Latents) -> np.ndarray:
    made, rate = model.decode(sound)
    samples = made.numpy().astype(np.float64)
    return np.array([measure.of(samples, rate) for measure in MEASURES])


def _effect(name: str, unit: str, changes: np.ndarray, spread: float) -> Effect:
    if len(changes) < _LEAST_SOUNDS or not spread > 0:
        return Effect(name, unit, math.nan, math.nan, clear=False)
    change = float(changes.mean())
    error = float(changes.std(ddof=1)) / math.sqrt(len(changes))
    standard = change / spread
    clear = abs(standard) >= CLEAR and abs(change) > _CERTAIN * error
    return Effect(name, unit, change, standard, clear)


def _upward(direction: Direction) -> Direction:
    """The same direction, to where its main measure grows."""
    main = direction.main
    down = main.change < 0 if main else direction.vector[np.abs(direction.vector).argmax()] < 0
    vector = -direction.vector if down else direction.vector.copy()
    vector.flags.writeable = False
    sign = -1 if down else 1
    effects = tuple(
        Effect(e.measure, e.unit, sign * e.change, sign * e.standard, e.clear)
        for e in direction.effects
    )
    return Direction(vector, direction.share, effects)
