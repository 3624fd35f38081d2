"""CodeParts: the sounds inside a grid of codes, one entry, one moment or one level at a time."""

from __future__ import annotations

import torch
from torch import Tensor

from distill.analysis.sound.entry_sounds import HELD_S, held_sounds, held_steps, samples_per_step
from distill.analysis.sound.sound_cache import CACHE_BYTES, SoundCache
from distill.arrays import as_int, as_place
from distill.codebook.codes import NO_CODE, Codes
from distill.errors import PartError
from distill.models.use.bottlenecks import check_codebooks
from distill.models.use.loaded import LoadedVQModel
from distill.models.use.match import check_rate
from distill.words import duration

LONGEST_S = 900.0
"""What is made at once at most: a quarter of an hour takes a minute and a gigabyte."""


class CodeParts:
    """The sounds inside one grid of codes, each (samples,) float32 at the model's rate.

    What was asked for before is remembered, the same entries anywhere in the grid count as the
    same. Several threads may ask. The tensors are shared with the cache: read, do not write.

    Args:
        model: the one that made the codes.
        codes: of a sound of any length.
        seconds: how long a cell or a column is held.
        cache_bytes: sounds kept, the latest used; a larger one is made anew every time.

    Raises:
        ModelTypeError: a model without codebooks; says what serves it.
        CodesError: the codes are of a model with other levels, entries, rate or steps.
    """

    def __init__(
        self,
        model: LoadedVQModel,
        codes: Codes,
        *,
        seconds: float = HELD_S,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        check_codebooks(model, "CodeParts")
        model.check_codes(codes)
        check_rate(model, codes)
        self.model, self.codes = model, codes
        self._grid = codes.indices
        self._steps_held = held_steps(model, seconds)
        self._cache = SoundCache(cache_bytes)

    @property
    def sample_rate(self) -> int:
        """Of every sound, in Hz."""
        return self.model.sample_rate

    def cell(self, level: int, step: int) -> Tensor:
        """One entry alone, held, "no code" at every other level; as loud as the sound's peak.

        Raises:
            PartError: no such level or step.
        """
        level, step = self._level(level), self._step(step)
        column = torch.full((self.codes.levels,), NO_CODE)
        column[level] = self._grid[level, step]
        return self._held(column)

    def column(self, step: int) -> Tensor:
        """One moment: all levels of a step, held.

        Raises:
            PartError: no such step.
        """
        step = self._step(step)
        return self._held(self._grid[:, step])

    def row(self, level: int, start: int = 0, stop: int | None = None) -> Tensor:
        """What one level says over the whole sound, "no code" at the others.

        Args:
            level: from 0.
            start: first step to hear.
            stop: the step after the last; None: to the end.

        Returns:
            (samples,); the sound's length where start and stop are left out.

        Raises:
            PartError: no such level or steps, or more than `LONGEST_S` at once.
        """
        return self._stretch((self._level(level),), start, stop)

    def upto(self, levels: int, start: int = 0, stop: int | None = None) -> Tensor:
        """The first `levels` levels together: 1, then 1 + 2, and so on; else as `row`.

        Raises:
            PartError: see `row`; also fewer than one level or more than there are.
        """
        count = as_int(levels)
        if count is None or not 1 <= count <= self.codes.levels:
            raise PartError(
                f"levels={levels!r}: expected 1 to {self.codes.levels}, how many to hear"
            )
        return self._stretch(tuple(range(count)), start, stop)

    def whole(self, start: int = 0, stop: int | None = None) -> Tensor:
        """All levels: what `model.decode` makes of the codes; else as `row`."""
        return self.upto(self.codes.levels, start, stop)

    def _held(self, column: Tensor) -> Tensor:
        key = ("held", *column.tolist())

        def make() -> Tensor:
            return held_sounds(self.model, column[None], self._steps_held)[0] * self.codes.peak

        return self._cache.get(key, make)

    def _stretch(self, levels: tuple[int, ...], start: int, stop: int | None) -> Tensor:
        first, after = as_int(start), self.codes.steps if stop is None else as_int(stop)
        if first is None or after is None or not 0 <= first < after <= self.codes.steps:
            raise PartError(
                f"steps {start} to {stop}: expected a stretch within 0 to {self.codes.steps}"
            )
        start, stop = first, after
        samples = self._samples(start, stop)
        if samples > LONGEST_S * self.sample_rate:
            raise PartError(
                f"{duration(samples / self.sample_rate)} at once: at most {duration(LONGEST_S)} "
                "can be heard at once; give start and stop, in steps"
            )
        return self._cache.get((levels, start, stop), lambda: self._decoded(levels, start, stop))

    def _decoded(self, levels: tuple[int, ...], start: int, stop: int) -> Tensor:
        indices = torch.full((self.codes.levels, stop - start), NO_CODE)
        indices[list(levels)] = self._grid[list(levels), start:stop]
        mel = self.model.mel_of(indices)
        samples = self._samples(start, stop)
        frames = self.model.spectrogram.frames(samples)
        return self.model.vocoder(mel[:, :frames], samples).cpu() * self.codes.peak

    def _samples(self, start: int, stop: int) -> int:
        """Length of some steps; the last one ends where the sound does."""
        per_step = samples_per_step(self.model)
        end = self.codes.samples if stop == self.codes.steps else stop * per_step
        # One frame stands on the very end of a sound: its step may hold no sample of its own.
        return max(min(end, stop * per_step) - start * per_step, 1)

    def _level(self, level: int) -> int:
        return as_place(level, "level", self.codes.levels, error=PartError)

    def _step(self, step: int) -> int:
        return as_place(step, "step", self.codes.steps, error=PartError)
